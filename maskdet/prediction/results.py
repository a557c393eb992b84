"""What prediction passes from its threads to its writers, and the summary for the caller."""

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
    """The detections in one picture or frame."""

    source: Source
    size: tuple[int, int]
    """Height and width in pixels."""
    concluded: Conclusion
    frame: int | None = None
    """Number of the frame in its video, from 0; None for a picture."""
    drawn: Picture | None = None
    """The frame with its boxes, if a drawn video is requested."""
    undrawn: str = ""
    """Why a requested drawn copy could not be made."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture or video that could not be read or drawn, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class PredictSummary:
    """The summary of `predict`."""

    pictures: int
    """Pictures and video frames processed."""
    threshold_policy: ThresholdPolicy
    """How the thresholds in force were chosen."""
    faces: Mapping[str, int]
    """Detections by label, including zeros."""
    failures: tuple[Failure, ...]
    """What could not be read or drawn."""
    seconds: float
    written: tuple[Path, ...]
    """The files, and the folder of drawn pictures."""
