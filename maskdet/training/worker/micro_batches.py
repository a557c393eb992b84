"""Splitting a batch into parts that run one after another. No Paddle here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Batch = dict[str, Any]
"""By ppdet's keys, each a tensor or a list with one entry per picture, or one number for all."""


def split(batch: Batch, parts: int) -> Iterator[tuple[Batch, slice]]:
    """Parts of a batch, as equal as possible, each with its rows of the batch."""
    total = len(batch["image"])
    size = -(-total // parts)
    for start in range(0, total, size):
        rows = slice(start, start + size)
        part = {key: value[rows] if _of_pictures(value, total) else value for key, value in batch.items()}
        yield part, rows


def _of_pictures(value: Any, total: int) -> bool:
    return not isinstance(value, int | float | str) and len(value) == total
