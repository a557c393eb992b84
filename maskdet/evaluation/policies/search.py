"""A search for thresholds: first as few faces at fault as possible, then the best mean F1 of the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from maskdet.evaluation.pool import Pool
from maskdet.evaluation.safety import Parts
from maskdet.types import FloatArray, IntArray

_SCALES: Final = np.geomspace(0.05, 1, 20).astype(np.float32)
_ROUNDS: Final = 3

Rank = tuple[int, float]
"""The quality of thresholds: faces at fault, as a negative number; mean F1."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The thresholds tried, rising; the pool may leave out scores below the lowest."""

    coarse: FloatArray
    fine: FloatArray

    @property
    def floor(self) -> float:
        return float(self.fine[0])


EVEN: Final = Grid(
    np.arange(0.05, 0.96, 0.05).round(2).astype(np.float32),
    np.arange(0.05, 0.96, 0.01).round(2).astype(np.float32),
)
"""For the scores of a network."""


def _logistic(low: float, high: float, count: int) -> FloatArray:
    logits = np.linspace(np.log(low / (1 - low)), np.log(high / (1 - high)), count)
    steps: FloatArray = (1 / (1 + np.exp(-logits))).round(4).astype(np.float32)
    return steps


PROBABILITIES: Final = Grid(_logistic(0.01, 0.999, 19), _logistic(0.01, 0.999, 91))
"""For calibrated scores, which crowd at both ends. Of detections below 0.01, 99 in 100 are wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdSearch:
    """`at_fault`: the number of faces that break the policy at thresholds [C], 0 if it is kept."""

    pool: Pool
    at_fault: Callable[[FloatArray], int]
    grid: Grid = EVEN

    def spread(self, start: FloatArray, parts: Parts) -> FloatArray:
        """The best of a coarse grid: one threshold for the masked labels, one for the bare ones."""
        tried = [start]
        for masked, bare in product(self.grid.coarse, self.grid.coarse):
            one = start.copy()
            one[parts.masked], one[parts.bare] = masked, bare
            tried.append(one)
        return max(tried, key=self._rank)

    def scaled(self, start: FloatArray, class_ids: IntArray) -> FloatArray:
        """The best common factor for all these classes: more is shown, and their labels compete as before."""
        tried = np.repeat(start[None], len(_SCALES), axis=0)
        factors = np.maximum(_SCALES[:, None] * start[class_ids], np.float32(self.grid.floor))
        # A model stores four decimals, so these are what is judged.
        tried[:, class_ids] = factors.round(4)
        best: FloatArray = max(tried, key=self._rank)
        return best

    def better(self, one: FloatArray, other: FloatArray) -> FloatArray:
        """Of equal ones the first."""
        return max([one, other], key=self._rank)

    def climb(self, thresholds: FloatArray, class_ids: IntArray) -> FloatArray:
        """Move the threshold of one class at a time to the best of a fine grid, until none moves."""
        for _ in range(_ROUNDS):
            before = thresholds.copy()
            for class_id in class_ids:
                thresholds = self._moved(thresholds, int(class_id))
            if np.array_equal(before, thresholds):
                break
        return thresholds

    def _rank(self, thresholds: FloatArray) -> Rank:
        return -self.at_fault(thresholds), round(_mean_f1(self.pool, thresholds), 6)

    def _moved(self, thresholds: FloatArray, class_id: int) -> FloatArray:
        tried = np.repeat(thresholds[None], len(self.grid.fine), axis=0)
        tried[:, class_id] = self.grid.fine
        ranks = [self._rank(one) for one in tried]
        best = max(ranks)
        if best == self._rank(thresholds):
            return thresholds
        first = ranks.index(best)
        run = next((n for n in range(first, len(ranks)) if ranks[n] != best), len(ranks))
        # Midway between the ends of a plateau, so that a slightly different score does not matter.
        moved: FloatArray = tried[(first + run - 1) // 2]
        return moved


def _mean_f1(pool: Pool, thresholds: FloatArray) -> float:
    """Over the classes that val has faces of."""
    said, size = pool.answers(thresholds), len(thresholds)
    faces = pool.faces_by_class(pool.face_counts, size)
    hits = pool.faces_by_class(pool.answered(said), size)
    shown = pool.shown_by_class(said, size)
    present = faces > 0
    return float((2 * hits[present] / (faces + shown)[present]).mean())
