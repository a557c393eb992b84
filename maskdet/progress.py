"""How library code reports progress without printing: the caller passes a `Track`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Passes items through and shows how many of `total` are done."""

    def __call__(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]: ...


def silent(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """A `Track` that shows nothing."""
    del description, total
    yield from items


class Counter:
    """Drives a `Track` from counts, such as those that another process or a stream reports."""

    def __init__(self, track: Track, total: int, description: str) -> None:
        self._items = track(range(total), description, total)
        self._done = 0

    def advance(self, done: int) -> None:
        """Set the number done so far; progress never goes back."""
        while self._done < done:
            next(self._items, None)
            self._done += 1
