"""How reliable scores are before and after a calibration, by class and by collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskdet.detector.calibration import Calibration
from maskdet.evaluation.calibration.cross_fit import FOLDS, CrossFit
from maskdet.evaluation.calibration.reliability import Marked, Reliability
from maskdet.evaluation.views import View


@dataclass(frozen=True, slots=True)
class Reliabilities:
    """Over all detections, by label of a class that val has, and by collection if val has several."""

    overall: Reliability
    classes: Mapping[str, Reliability]
    collections: Mapping[str, Reliability]

    @classmethod
    def of(cls, marked: Marked, labels: Sequence[str], views: Sequence[View]) -> Reliabilities:
        return cls(
            overall=Reliability.of(marked),
            classes={
                labels[number]: Reliability.of(marked.select(marked.class_ids == number))
                for number in np.unique(marked.class_ids)
            },
            collections=_by_collection(marked, views),
        )

    def rows(self) -> list[tuple[str, Reliability]]:
        """All of them, by the name of what they cover."""
        return [
            ("all", self.overall),
            *self.classes.items(),
            *((f"collection {name}", each) for name, each in self.collections.items()),
        ]

    def to_json(self) -> dict[str, Any]:
        return {
            **self.overall.to_json(),
            "classes": {label: each.to_json() for label, each in self.classes.items()},
            **(
                {"collections": {n: each.to_json() for n, each in self.collections.items()}}
                if self.collections
                else {}
            ),
        }


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """before: of the scores that the model gives; after: of the same, calibrated on the other folds of val,
    None if val cannot decide.

    in_force: the calibration that belongs to this evaluation's scores and goes into the bundle; `fitted`: the
    one that this val gives for the model's scores.
    """

    before: Reliabilities
    after: Reliabilities | None
    fitted: Calibration | None
    in_force: bool
    built_in: bool = False
    """Whether the model's scores are calibrated already."""

    @classmethod
    def of(
        cls,
        marked: Marked,
        fit: CrossFit | None,
        labels: Sequence[str],
        views: Sequence[View],
        **states: bool,
    ) -> CalibrationResult:
        after = None if fit is None else Reliabilities.of(fit.marked(marked), labels, views)
        whole = None if fit is None else fit.whole
        return cls(Reliabilities.of(marked, labels, views), after, whole, **states)

    @property
    def calibration(self) -> Calibration | None:
        """What a bundle needs so that it gives this evaluation's scores."""
        return self.fitted if self.in_force else None

    def to_json(self) -> dict[str, Any]:
        return {
            "in_force": self.in_force,
            "built_in": self.built_in,
            "temperature": None if self.fitted is None else self.fitted.temperature,
            "folds": FOLDS,
            "before": self.before.to_json(),
            "after": None if self.after is None else self.after.to_json(),
        }


def _by_collection(marked: Marked, views: Sequence[View]) -> dict[str, Reliability]:
    names = np.array([view.collection for view in views])
    known = list(dict.fromkeys(names.tolist()))
    own = names[marked.pictures]
    return {name: Reliability.of(marked.select(own == name)) for name in known} if len(known) > 1 else {}
