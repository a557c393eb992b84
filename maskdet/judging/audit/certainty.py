"""How sure a model is of a detection, measured on the faces that it and the labels agree on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from maskdet.judging.audit.disputes import Dispute

_ENOUGH: Final = 10
"""Faces of a class from which its own scores are the measure; below, those of all classes."""


class Certainty:
    """What a score is worth: the share of the class's confirmed faces that score less, and half of the equal.

    Scores of detectors are no probabilities, and mean something else for each class. This is the per-class
    threshold of confident learning (Northcutt, Jiang and Chuang 2021) turned into a scale.
    """

    def __init__(self, confirmed: Iterable[tuple[int, float]]) -> None:
        """`confirmed`: (class id, score) of each label that the model confirms."""
        by_class: dict[int, list[float]] = {}
        for class_id, score in confirmed:
            by_class.setdefault(class_id, []).append(score)
        self._all = np.sort([score for scores in by_class.values() for score in scores])
        self._own = {
            class_id: np.sort(scores) for class_id, scores in by_class.items() if len(scores) >= _ENOUGH
        }

    def of(self, class_id: int, score: float) -> float:
        """0..1; the score itself if the model confirms no label at all."""
        scores = self._own.get(class_id, self._all)
        if not len(scores):
            return score
        less, not_more = (np.searchsorted(scores, score, side) for side in ("left", "right"))
        return float(less + not_more) / 2 / len(scores)

    def suspicion(self, dispute: Dispute, said: int, score: float, labelled: int | None) -> float:
        """0..1: how likely the label is the wrong side, after the three box scores of ObjectLab.

        said: class id of the detection, with its score; labelled: that of the label.

        A missing label: certainty times 1 - IoU with the nearest label. A swapped class: certainty times IoU,
        less the certainty of the label's own class there. A misplaced box: certainty times 1 - IoU.
        ObjectLab (Tkachenko, Thyagarajan and Mueller 2023, arXiv:2309.00832) scores the quality of labels,
        1 - this, with a similarity in place of IoU and fixed probabilities in place of the certainty.
        """
        certainty = self.of(said, score)
        if dispute.kind != "swapped" or labelled is None:
            return certainty * (1 - dispute.overlap)
        return certainty * dispute.overlap * (1 - self.of(labelled, dispute.own_score))
