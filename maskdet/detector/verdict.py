"""Whether a picture complies with the mask rule: ok, violation or uncertain.

- `violation`: a face of a label that breaks the rule reaches its threshold.
- `uncertain`: none does, but a face of a label without a role reaches its threshold; or one of any
  label lies in the band below its threshold, and no face that reaches its threshold covers it (then it is
    the same face, already decided).
- `ok`: anything else, including a picture without faces.

The counts cover the faces that reach their thresholds, each under one label, zeros included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskdet.detector.answer import same_face
from maskdet.types import Detections, FloatArray
from maskdet.wording.lexicon import Roles, unknown_roles

Decision = Literal["ok", "violation", "uncertain"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, and the faces that reach their thresholds, by label."""

    outcome: Decision
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class MaskRule:
    """Which labels break the rule, which have no role, and how far below its threshold doubt remains."""

    labels: tuple[str, ...]
    violations: frozenset[str]
    unknown: frozenset[str]
    band: float

    @classmethod
    def of(
        cls, labels: Sequence[str], roles: Roles, violations: Sequence[str] | None, band: float
    ) -> MaskRule:
        """`violations` given: these labels break the rule and all others comply, whatever their roles."""
        if violations is not None:
            return cls(tuple(labels), frozenset(violations) & frozenset(labels), frozenset(), band)
        broken = frozenset(label for label in labels if roles.get(label) in ("bare", "worn-wrong"))
        return cls(tuple(labels), broken, frozenset(unknown_roles(labels, roles)), band)

    def keeps(self, label: str) -> bool | None:
        """Whether a face of the label complies with the rule; None if unknown."""
        return None if label in self.unknown else label not in self.violations

    def doubt_from(self, thresholds: FloatArray) -> FloatArray:
        """[C] lowest score at which a face of each class leaves doubt; lower ones decide nothing."""
        from_scores: FloatArray = thresholds - np.float32(self.band)
        return from_scores

    def judge(self, candidates: Detections, sure: Detections, thresholds: FloatArray) -> Verdict:
        """candidates: what NMS left, at least down to `doubt_from`; sure: their final answer;
        thresholds: [C] by class id.
        """
        tally = np.bincount(sure.class_ids, minlength=len(self.labels))
        counts = {label: int(count) for label, count in zip(self.labels, tally, strict=True)}
        if any(counts[label] for label in self.violations):
            return Verdict("violation", counts)
        doubt = any(counts[label] for label in self.unknown) or self._doubt(candidates, sure, thresholds)
        return Verdict("uncertain" if doubt else "ok", counts)

    def _doubt(self, candidates: Detections, sure: Detections, thresholds: FloatArray) -> bool:
        ids, scores = candidates.class_ids, candidates.scores
        near = (scores < thresholds[ids]) & (scores >= self.doubt_from(thresholds)[ids])
        return bool((near & ~same_face(candidates, sure).any(axis=1)).any())
