"""The map in a bundle that makes the network's scores probabilities: one temperature for all classes.

One monotone map for all classes changes no order, so AP, NMS and the choice among boxes of one picture stay
as they are. C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from maskdet.settings import Section

if TYPE_CHECKING:
    # Settings are read without NumPy, which takes longer to import than most commands run.
    from maskdet.types import Detections, FloatArray

COLDEST: Final = 0.05
HOTTEST: Final = 20.0
_MARGIN: Final = 1 - 1e-4
_TINY: Final = 1e-300
"""Keeps a division of zeros from being one."""


class Calibration(Section):
    """A score s of the network becomes sigmoid(logit(s) / temperature)."""

    temperature: float = Field(ge=COLDEST, le=HOTTEST)
    """Below 1: the network is too cautious, and scores move away from 0.5; above 1: towards it."""

    def probabilities(self, scores: FloatArray) -> FloatArray:
        """Of scores in 0..1, of any shape; 0, 0.5 and 1 stay."""
        known: FloatArray = _mapped(scores.astype("float64"), 1 / self.temperature).astype("float32")
        return known

    def network_score(self, probability: float) -> float:
        """The score of the network that becomes this probability."""
        return float(_mapped(probability, self.temperature))


def calibrated(found: Detections, calibration: Calibration | None) -> Detections:
    """The detections with probabilities as scores; without a calibration as they are."""
    if calibration is None:
        return found
    return replace(found, scores=calibration.probabilities(found.scores))


def network_score(score: float, calibration: Calibration | None) -> float:
    """A score that no detection of `score` or more lies below before it is calibrated."""
    if calibration is None or not 0 < score < 1:
        return score
    # A little less, since both ways are rounded.
    return calibration.network_score(score) * _MARGIN


def _mapped(scores: Any, factor: float) -> Any:
    """sigmoid(factor * logit(scores)) of a number or an array, without infinities at 0 and 1."""
    one, other = scores**factor, (1 - scores) ** factor
    return one / (one + other + _TINY)
