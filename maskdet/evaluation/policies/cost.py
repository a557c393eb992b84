"""What each way to choose thresholds costs: faces left without an answer, false alarms, bare faces passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.evaluation.policies.choice import Choice
from maskdet.evaluation.pool import Pool
from maskdet.evaluation.rounding import rounded
from maskdet.evaluation.safety import WIDE, Parts, Rate, called, faces_of, false_alarms, share
from maskdet.types import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class ClassCost:
    """One class under a policy. A face is answered if the answer gives it its own label."""

    threshold: float
    recall: Rate
    recall_wide: Rate
    """For the faces wider than 16 px at network scale."""
    precision: float | None
    """None without a detection."""

    def to_json(self) -> dict[str, Any]:
        return {
            "threshold": self.threshold,
            "recall": self.recall.to_json(),
            "recall_wide": self.recall_wide.to_json(),
            "precision": rounded(self.precision),
        }


@dataclass(frozen=True, slots=True)
class PolicyCost:
    """A policy on val; classes by label, none if val cannot decide by it. Bare faces passed are None if no
    label has the role bare, or none masked.
    """

    policy: ThresholdPolicy
    in_force: bool
    classes: Mapping[str, ClassCost]
    false_alarms: Rate | None
    """Per 1000 faces."""
    bare_passed: Rate | None
    bare_passed_wide: Rate | None
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        rates = {
            "false_alarms_per_1000": self.false_alarms,
            "bare_passed": self.bare_passed,
            "bare_passed_wide": self.bare_passed_wide,
        }
        return {
            "policy": self.policy.model_dump(),
            "in_force": self.in_force,
            "classes": {label: each.to_json() for label, each in self.classes.items()},
            **{name: rate.to_json() for name, rate in rates.items() if rate is not None},
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, eq=False)
class CostMeter:
    """Val, prepared for counting: `pool` of all detections that any thresholds may show, `widths` [M]."""

    pool: Pool
    widths: FloatArray
    parts: Parts
    labels: Sequence[str]

    def measure(self, policy: ThresholdPolicy, choice: Choice, *, in_force: bool) -> PolicyCost:
        """The cost of a choice; if it could not be made, only its notes."""
        if not choice.thresholds:
            return PolicyCost(policy, in_force, {}, None, None, None, choice.notes)
        scores = np.array([choice.thresholds[label] for label in self.labels], np.float32)
        said = self.pool.answers(scores)
        passed = called(self.pool, said, self.parts.masked)
        bare = faces_of(self.pool, self.parts.bare)
        told = self.parts.decide_bare
        return PolicyCost(
            policy=policy,
            in_force=in_force,
            classes=self._classes(choice.thresholds, said),
            false_alarms=Rate(
                int(false_alarms(self.pool, said).sum()), int(self.pool.face_counts.sum()), None, scale=1000
            ),
            bare_passed=share(passed, bare) if told else None,
            bare_passed_wide=share(passed, bare & (self.widths > WIDE)) if told else None,
            notes=choice.notes,
        )

    def _classes(self, thresholds: Mapping[str, float], said: BoolArray) -> dict[str, ClassCost]:
        right, size = self.pool.answered(said), len(self.labels)
        hits, shown = self.pool.faces_by_class(right, size), self.pool.shown_by_class(said, size)
        found = {}
        for number, label in enumerate(self.labels):
            own = faces_of(self.pool, np.array([number]))
            found[label] = ClassCost(
                threshold=thresholds[label],
                recall=share(right, own),
                recall_wide=share(right, own & (self.widths > WIDE)),
                precision=int(hits[number]) / int(shown[number]) if shown[number] else None,
            )
        return found
