"""What prediction hands from its threads to its writers, and what it tells the caller at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maskdet.detector.conclusion import Conclusion
from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.prediction.sources import Source
from maskdet.types import Picture


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was found in one picture or frame."""

    source: Source
    size: tuple[int, int]
    """Height and width in pixels."""
    concluded: Conclusion
    frame: int | None = None
    """Number of the frame in its video, from 0; None for a picture."""
    drawn: Picture | None = None
    """The frame with its boxes, where a drawn video is asked for."""
    undrawn: str = ""
    """Why there is no drawn copy, where one is asked for and could not be made."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture or video that could not be read or drawn, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class PredictSummary:
    """What `predict` did."""

    pictures: int
    """Pictures and video frames looked at."""
    threshold_policy: ThresholdPolicy
    """How the thresholds in force came about."""
    faces: Mapping[str, int]
    """Detections by label, all labels named."""
    failures: tuple[Failure, ...]
    """What could not be read or drawn; the rest went on."""
    seconds: float
    written: tuple[Path, ...]
    """The files, and the folder of drawn pictures."""
