"""How library code shows that long work goes on, without printing: the caller hands in a `Track`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Passes items through and shows how many of `total` went by."""

    def __call__(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]: ...


def silent(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """A `Track` that shows nothing."""
    del description, total
    yield from items
