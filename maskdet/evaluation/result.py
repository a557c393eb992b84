"""The result of an evaluation as data: overall, per class, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from maskdet.detector.threshold_policy import BEST_F1, ThresholdPolicy
from maskdet.evaluation.calibration.effect import CalibrationResult
from maskdet.evaluation.intervals import Interval
from maskdet.evaluation.mistakes import Mistake
from maskdet.evaluation.policies.cost import PolicyCost
from maskdet.evaluation.policies.promise import Promise
from maskdet.evaluation.ranking import Ranking
from maskdet.evaluation.rounding import rounded, rounded_ends
from maskdet.evaluation.safety import Safety
from maskdet.evaluation.slices import COLLECTION, Slice
from maskdet.types import IntArray

BACKGROUND = "background"
ThresholdSource = Literal["val", "pipeline file", "model file"]
"""Where thresholds come from: chosen on this val part, given, or in the model that is evaluated."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassEvaluation:
    """One class on val. AP is None if val has no face of the class that counts, or the model
    lacks it.

    `truths` leaves the `difficult` ones out. Counts and rates are those of the answer at the thresholds, at
    IoU 0.5; `ranking` holds all detections, for curves.
    """

    label: str
    truths: int
    difficult: int
    ap50: float | None
    ap50_95: float | None
    threshold: float
    true_positives: int
    false_positives: int
    misses: int
    ranking: Ranking
    ap50_interval: Interval | None = None
    """95 %, if from an appraisal."""
    known: bool = True
    """Whether the model has this class. Rates of a class that it lacks are undefined."""

    @property
    def precision(self) -> float | None:
        """Share of the detections that are correct; None if there is no detection."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """Share of the faces that are found; None if there is no face."""
        return _share(self.true_positives, self.truths) if self.known else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None if there is neither a face nor a detection."""
        whole = self.truths + self.true_positives + self.false_positives
        return _share(2 * self.true_positives, whole) if self.known else None

    def figures(self) -> dict[str, float | None]:
        """The rates by name, unrounded; None if undefined."""
        return {
            "ap50": self.ap50,
            "ap50_95": self.ap50_95,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }

    def to_json(self) -> dict[str, Any]:
        """Counts, rates and threshold; null if undefined."""
        return {
            "truths": self.truths,
            "difficult": self.difficult,
            **{name: rounded(value) for name, value in self.figures().items()},
            "ap50_interval": rounded_ends(self.ap50_interval),
            "threshold": self.threshold if self.known else None,
            "true_positives": self.true_positives,
            "false_positives": self.false_positives,
            "misses": self.misses,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A model on val; see `evaluator.evaluate` for how each figure is defined.

    `confusion` is [C + 1, C + 1] counts: row = class of the truth, column = class of the detection, the
    last of each = background. `notes` state in words what the figures leave out.
    """

    pictures: int
    ap50: float
    ap50_95: float
    ap50_any_class: float
    classes: tuple[ClassEvaluation, ...]
    confusion: IntArray
    notes: tuple[str, ...]
    policy: ThresholdPolicy = BEST_F1
    """The policy by which the thresholds were chosen."""
    source: ThresholdSource = "val"
    ap50_interval: Interval | None = None
    policies: tuple[PolicyCost, ...] = ()
    promise: Promise | None = None
    calibration: CalibrationResult | None = None
    safety: Safety | None = None
    slices: tuple[Slice, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    further: Mapping[str, float | None] = field(default_factory=dict)
    """What an appraisal adds: mistakes worst first, and the figures of evaluation.metrics by name."""
    partners: Mapping[str, str | None] = field(default_factory=dict)
    """By class of the data the model's matching class, None if it has none."""

    @property
    def thresholds(self) -> dict[str, float]:
        """The lowest score that counts, per label, in the order of the class ids."""
        return {each.label: each.threshold for each in self.classes}

    def recalls(self) -> dict[str, float | None]:
        """Share of the faces that the answer finds at the thresholds: all, then by collection if val has
        several.
        """
        known = [each for each in self.classes if each.known]
        whole = _share(sum(each.true_positives for each in known), sum(each.truths for each in known))
        parts = {each.name: each.recall for each in self.slices if each.axis == COLLECTION}
        return {"all faces": whole, **parts}

    def overall(self) -> dict[str, float]:
        """The figures over all classes by name, unrounded."""
        return {"ap50": self.ap50, "ap50_95": self.ap50_95, "ap50_any_class": self.ap50_any_class}

    def summary(self) -> dict[str, float]:
        """Flat figures: `ap50`, ..., then `ap50.<label>`, ... per class; undefined ones are absent."""
        flat: dict[str, float | None] = {**self.overall()}
        for each in self.classes:
            flat.update({f"{name}.{each.label}": value for name, value in each.figures().items()})
        for name, rate in (self.safety.rates if self.safety else {}).items():
            flat[name] = rate.value
        flat.update(self.further)
        return {name: rounded(value) for name, value in flat.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        """All but the curves, in plain JSON types; null if a figure is undefined, never NaN."""
        return {
            "pictures": self.pictures,
            **{name: rounded(value) for name, value in self.overall().items()},
            "classes": {each.label: each.to_json() for each in self.classes},
            "confusion": {
                "rows": "truth",
                "columns": "detection",
                "labels": [*self.thresholds, BACKGROUND],
                "counts": self.confusion.tolist(),
            },
            "notes": list(self.notes),
            "threshold_policy": self.policy.model_dump(),
            "threshold_source": self.source,
            **self._appraisal(),
        }

    def _appraisal(self) -> dict[str, Any]:
        if self.safety is None:
            return {}
        slices: dict[str, dict[str, Any]] = {}
        for each in self.slices:
            slices.setdefault(each.axis, {})[each.name] = each.to_json()
        return {
            "ap50_interval": rounded_ends(self.ap50_interval),
            "class_match": dict(self.partners),
            "policies": [each.to_json() for each in self.policies],
            "recall": {name: rounded(share) for name, share in self.recalls().items()},
            "promise": None if self.promise is None else self.promise.to_json(),
            "calibration": None if self.calibration is None else self.calibration.to_json(),
            "safety": self.safety.to_json(),
            "slices": slices,
            "further": {name: rounded(value) for name, value in self.further.items()},
            "mistakes": [each.to_json() for each in self.mistakes],
        }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
