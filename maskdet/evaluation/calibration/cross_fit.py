"""A calibration fitted on val, and the same without each fold of val: so that its figures are honest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from maskdet.detector.calibration import COLDEST, HOTTEST, Calibration, calibrated
from maskdet.evaluation.calibration.reliability import Marked
from maskdet.evaluation.ranking import Scene
from maskdet.evaluation.views import View
from maskdet.types import BoolArray, FloatArray, IntArray

FOLDS: Final = 5
FEWEST: Final = 20
"""Right and wrong detections that a fit needs."""
_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True, eq=False)
class CrossFit:
    """whole: fitted on all of val; parts: without each fold; folds [P]: the fold of each picture.

    Near-duplicates are in the same fold.
    """

    whole: Calibration
    parts: tuple[Calibration, ...]
    folds: IntArray

    @classmethod
    def of(cls, marked: Marked, folds: IntArray) -> CrossFit | None:
        """None if val cannot decide: it has too few detections of one kind, or too few pictures."""
        # No temperature moves a score of 0 or 1.
        marked = marked.select((marked.scores > 0) & (marked.scores < 1))
        own = folds[marked.pictures]
        without = [marked.select(own != fold) for fold in range(FOLDS)]
        if len(np.unique(folds)) < FOLDS or not all(map(_suffices, without)):
            return None
        return cls(fitted(marked), tuple(map(fitted, without)), folds)

    def served(self, scenes: Sequence[Scene]) -> list[Scene]:
        """The scenes with the scores that a bundle gives."""
        return [(truth, calibrated(found, self.whole)) for truth, found in scenes]

    def held_out(self, scenes: Sequence[Scene]) -> list[Scene]:
        """The scenes with scores whose calibration has not seen the picture."""
        pairs = zip(scenes, self.folds.tolist(), strict=True)
        return [(truth, calibrated(found, self.parts[fold])) for (truth, found), fold in pairs]

    def marked(self, marked: Marked) -> Marked:
        """The detections with held-out scores."""
        own, scores = self.folds[marked.pictures], marked.scores.copy()
        for fold, part in enumerate(self.parts):
            rows = own == fold
            scores[rows] = part.probabilities(marked.scores[rows])
        return replace(marked, scores=scores)


def folds_of(views: Sequence[View]) -> IntArray:
    """[P] the fold of each picture, near-duplicates together, whatever the order of the pictures."""
    groups = [view.group or view.path for view in views]
    ranked = sorted(set(groups), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    places = {name: place % FOLDS for place, name in enumerate(ranked)}
    return np.array([places[name] for name in groups], np.int64)


def fitted(marked: Marked) -> Calibration:
    """The temperature with the highest likelihood of what is right; scores are between 0 and 1.

    Its inverse is where a derivative that only rises is 0, so halving finds it.
    """
    logits, right = _logits(marked.scores), marked.right
    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _slope(middle, logits, right) < 0:
            low = middle
        else:
            high = middle
    return Calibration(temperature=round(min(max(2 / (low + high), COLDEST), HOTTEST), 6))


def _slope(factor: float, logits: FloatArray, right: BoolArray) -> float:
    """Derivative of the negative log-likelihood by the inverse temperature."""
    known = 1 / (1 + np.exp(-factor * logits))
    return float(((known - right) * logits).sum())


def _logits(scores: FloatArray) -> FloatArray:
    exact = scores.astype(np.float64)
    logits: FloatArray = np.log(exact) - np.log1p(-exact)
    return logits


def _suffices(marked: Marked) -> bool:
    hits = int(marked.right.sum())
    return min(hits, len(marked.right) - hits) >= FEWEST
