"""Cutting a batch into parts that are gone through one after another. No Paddle here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Batch = dict[str, Any]
"""Of ppdet's keys, each a tensor or a list with an entry a picture, or one number for all."""


def split(batch: Batch, parts: int) -> Iterator[tuple[Batch, float]]:
    """Equal parts of a batch, as far as they can be, each with its share of the pictures."""
    total = len(batch["image"])
    size = -(-total // parts)
    for start in range(0, total, size):
        some = slice(start, start + size)
        part = {key: value[some] if _of_pictures(value, total) else value for key, value in batch.items()}
        yield part, len(part["image"]) / total


def _of_pictures(value: Any, total: int) -> bool:
    return not isinstance(value, int | float | str) and len(value) == total
