"""The scores of a val part: as the model in service gives them, and held out, for a choice of thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from maskdet.evaluation.calibration.cross_fit import FEWEST, FOLDS, CrossFit, folds_of
from maskdet.evaluation.calibration.effect import CalibrationResult
from maskdet.evaluation.calibration.reliability import marked_detections
from maskdet.evaluation.policies.compared import Shipped
from maskdet.evaluation.policies.search import EVEN, PROBABILITIES, Grid
from maskdet.evaluation.ranking import Scene
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.views import View
from maskdet.types import IntArray

_LACKING: Final = (
    f"val is too small to calibrate scores: that needs {FEWEST} right and {FEWEST} wrong detections outside "
    f"each of {FOLDS} folds of pictures"
)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """served: the scenes with the scores of the model in service; held_out: with a calibration that has not
    seen the picture, or the same if val calibrates nothing; folds [P]; grid: the thresholds to try.
    """

    served: Sequence[Scene]
    held_out: Sequence[Scene]
    folds: IntArray
    grid: Grid
    result: CalibrationResult
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        scenes: Sequence[Scene],
        views: Sequence[View],
        labels: Sequence[str],
        settings: EvalSettings,
        shipped: Shipped | None,
    ) -> Scores:
        """Of a checkpoint, whose scores are calibrated here by the settings, or of a model file, whose scores
        are what they are.
        """
        marked, folds = marked_detections(scenes, labels), folds_of(views)
        fit = CrossFit.of(marked, folds)
        built_in = shipped is not None and shipped.calibrated
        in_force = shipped is None and settings.calibrate and fit is not None
        lacking = shipped is None and settings.calibrate and fit is None
        return cls(
            served=fit.served(scenes) if fit and in_force else scenes,
            held_out=fit.held_out(scenes) if fit and in_force else scenes,
            folds=folds,
            grid=PROBABILITIES if built_in or in_force else EVEN,
            result=CalibrationResult.of(marked, fit, labels, views, in_force=in_force, built_in=built_in),
            notes=(_LACKING,) if lacking else (),
        )
