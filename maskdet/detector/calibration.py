"""The map in a bundle that makes the network's scores probabilities: one temperature for all classes.

One monotone map for all classes changes no order, so AP, NMS and the choice among boxes of one picture stay
as they are. C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from maskdet.settings import Section
from maskdet.types import Detections, FloatArray

COLDEST: Final = 0.05
HOTTEST: Final = 20.0
_MARGIN: Final = 1 - 1e-4


class Calibration(Section):
    """A score s of the network becomes sigmoid(logit(s) / temperature)."""

    temperature: float = Field(ge=COLDEST, le=HOTTEST)
    """Below 1: the network is too cautious, and scores move away from 0.5; above 1: towards it."""

    def probabilities(self, scores: FloatArray) -> FloatArray:
        """Of scores in 0..1, of any shape; 0, 0.5 and 1 stay."""
        known: FloatArray = _mapped(scores, 1 / self.temperature).astype(np.float32)
        return known

    def network_score(self, probability: float) -> float:
        """The score of the network that becomes this probability."""
        return float(_mapped(np.array([probability], np.float64), self.temperature)[0])


def calibrated(found: Detections, calibration: Calibration | None) -> Detections:
    """The detections with probabilities as scores; without a calibration as they are."""
    if calibration is None:
        return found
    return Detections(found.boxes, calibration.probabilities(found.scores), found.class_ids)


def network_score(score: float, calibration: Calibration | None) -> float:
    """A score that no detection of `score` or more lies below before it is calibrated."""
    if calibration is None or not 0 < score < 1:
        return score
    # A little less, since both ways are rounded.
    return calibration.network_score(score) * _MARGIN


def _mapped(scores: NDArray[np.floating], factor: float) -> NDArray[np.float64]:
    """sigmoid(factor * logit(scores)) without infinities at 0 and 1."""
    exact = scores.astype(np.float64)
    one, other = exact**factor, (1 - exact) ** factor
    mapped: NDArray[np.float64] = one / np.maximum(one + other, np.finfo(np.float64).tiny)
    return mapped
