"""Whether a picture keeps the mask rule: ok, violation or uncertain.

- `violation`: a face of a label that breaks the rule reaches its threshold.
- `uncertain`: none does, but a face of any label lies in the band below its threshold, and no face that
  reaches its threshold covers it (then it is the same face, and decided).
- `ok`: all else, also a picture without faces.

The counts are of the faces that reach their thresholds, each under one label, zeros included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskdet.detector.answer import SAME_FACE_IOU
from maskdet.detector.roles import label_roles
from maskdet.types import BoolArray, Detections, FloatArray

Decision = Literal["ok", "violation", "uncertain"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, and the faces over their thresholds by label."""

    outcome: Decision
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class MaskRule:
    """Which labels break the rule, and how far below its threshold a face leaves doubt."""

    labels: tuple[str, ...]
    violations: frozenset[str]
    band: float

    @classmethod
    def of(cls, labels: Sequence[str], violations: Sequence[str] | None, band: float) -> MaskRule:
        """`violations` None: the labels whose names say so."""
        told = _told_by_name(labels) if violations is None else violations
        return cls(tuple(labels), frozenset(told), band)

    def doubt_from(self, thresholds: FloatArray) -> FloatArray:
        """[C] score from which a face of each class leaves doubt; poorer ones decide nothing."""
        from_scores: FloatArray = thresholds - np.float32(self.band)
        return from_scores

    def judge(self, candidates: Detections, sure: Detections, thresholds: FloatArray) -> Verdict:
        """candidates: what NMS left, at least from `doubt_from` on; sure: the answer of them;
        thresholds: [C] by class id.
        """
        tally = np.bincount(sure.class_ids, minlength=len(self.labels))
        counts = {label: int(count) for label, count in zip(self.labels, tally, strict=True)}
        if any(counts[label] for label in self.violations & counts.keys()):
            return Verdict("violation", counts)
        return Verdict("uncertain" if self._doubt(candidates, sure, thresholds) else "ok", counts)

    def _doubt(self, candidates: Detections, sure: Detections, thresholds: FloatArray) -> bool:
        ids, scores = candidates.class_ids, candidates.scores
        near = (scores < thresholds[ids]) & (scores >= self.doubt_from(thresholds)[ids])
        return bool((near & ~_covered(candidates, sure)).any())


def _told_by_name(labels: Sequence[str]) -> list[str]:
    return [label for label, role in label_roles(labels).items() if role != "masked"]


def _covered(some: Detections, others: Detections) -> BoolArray:
    """[N] whether a box of `others` has an IoU of SAME_FACE_IOU or more with each box of `some`."""
    if not len(others):
        return np.zeros(len(some), np.bool_)
    corner_low = np.maximum(some.boxes[:, None, :2], others.boxes[None, :, :2])
    corner_high = np.minimum(some.boxes[:, None, 2:], others.boxes[None, :, 2:])
    shared = np.clip(corner_high - corner_low, 0, None).prod(axis=2)
    union = _areas(some)[:, None] + _areas(others)[None, :] - shared
    covered: BoolArray = (shared >= SAME_FACE_IOU * union).any(axis=1)
    return covered


def _areas(some: Detections) -> FloatArray:
    areas: FloatArray = (some.boxes[:, 2:] - some.boxes[:, :2]).prod(axis=1)
    return areas
