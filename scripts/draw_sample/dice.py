"""Random choices that are the same on every machine for a given seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Dice:
    """Every choice is derived from PCG64's uniform stream, which NumPy keeps stable across versions."""

    def __init__(self, *seed: int) -> None:
        self._stream = np.random.Generator(np.random.PCG64(seed))

    def chance(self, probability: float) -> bool:
        return float(self._stream.random()) < probability

    def number(self, low: float, high: float) -> float:
        return low + (high - low) * float(self._stream.random())

    def whole(self, low: int, high: int) -> int:
        """An integer from low to high, inclusive."""
        return low + int(self._stream.random() * (high - low + 1))

    def pick(self, items: Sequence[T], weights: Sequence[float] | None = None) -> T:
        if weights is None:
            return items[self.whole(0, len(items) - 1)]
        point = self.number(0, sum(weights))
        for item, weight in zip(items, weights, strict=True):
            point -= weight
            if point < 0:
                return item
        return items[-1]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """A new list in random order (Fisher and Yates)."""
        deck = list(items)
        for last in range(len(deck) - 1, 0, -1):
            other = self.whole(0, last)
            deck[last], deck[other] = deck[other], deck[last]
        return deck
