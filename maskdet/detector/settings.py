"""What the bundle's metadata holds: everything needed to run the model, and its origin."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, model_validator

from maskdet.detector.calibration import Calibration, network_score
from maskdet.detector.profile import Profile
from maskdet.detector.threshold_policy import ThresholdPolicy, percentage
from maskdet.settings import Section
from maskdet.wording.lexicon import Role, label_roles

METADATA_KEY = "maskdet"
"""The ONNX metadata_props key whose value is a `BundleMeta` as JSON."""
Interpolation = Literal["nearest", "linear", "cubic", "area", "lanczos"]
"""How pixels are resampled, by OpenCV's names, in the order of its numbers."""
UNCERTAIN_BAND: Final = 0.15
"""How far below its threshold a face still leaves doubt, by default."""


class NmsSettings(Section):
    """Per-class non-maximum suppression, PicoDet's values by default."""

    score_threshold: float = Field(0.025, ge=0, le=1)
    """Candidates that the network scores lower are dropped before NMS."""
    iou_threshold: float = Field(0.6, ge=0, le=1)
    """A box whose IoU with a better one of its class exceeds this is suppressed."""
    top_k: int = Field(1000, ge=1)
    """Candidates per class that enter NMS."""
    keep: int = Field(100, ge=1)
    """Detections per picture after NMS, best first."""

    def from_score(self, score: float) -> NmsSettings:
        """These settings for callers that need no detection below `score`; the others do not change.

        A box is suppressed only by better ones, so poorer ones need not enter NMS at all.
        """
        return self.model_copy(update={"score_threshold": max(score, self.score_threshold)})


class BundleMeta(Section):
    """The graph takes `image` uint8 [N, H, W, 3] RGB, already resized to input_size, and returns `boxes`
    float32 [N, A, 4], xyxy in pixels of the network input, and `scores` float32 [N, A, C] in 0..1.
    Normalisation is in the graph; NMS is not.
    """

    format: Literal[1] = 1
    name: str
    """The pipeline's name."""
    variant: str
    """Architecture and size, such as picodet_s_416."""
    labels: tuple[str, ...]
    """Class names by class id."""
    roles: dict[str, Role]
    """Role of each class; a class left out has no known role. In a file written before roles existed, they
    follow from the names."""
    input_size: tuple[int, int]
    """Height and width of the network input in pixels."""
    interpolation: Interpolation = "cubic"
    """How a picture is resized to the network input."""
    mean: tuple[float, float, float]
    """RGB mean on a 0..1 scale; for information, the graph applies it."""
    std: tuple[float, float, float]
    """RGB standard deviation on a 0..1 scale; for information, the graph applies it."""
    nms: NmsSettings = NmsSettings()
    calibration: Calibration | None = None
    """What makes the scores of the graph those of detections; None: they are used as they are."""
    thresholds: dict[str, float]
    """Lowest score of a detection that counts, by class."""
    threshold_policy: ThresholdPolicy = ThresholdPolicy()
    """How the thresholds were chosen; unknown for a bundle without it."""
    manifest_sha256: str = ""
    """The data hash of the manifest that the model was trained from."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Figures on val, such as ap50, as fractions of 1; those of one policy are named
    after it, such as policy.safe.recall.LABEL."""
    profile: Profile | None = None
    """The model's answers on val as histograms, to compare with what a server sees."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of the packages that made the file."""
    licence: str = "Apache-2.0"

    @model_validator(mode="before")
    @classmethod
    def _told_by_names(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "roles" in values:
            return values
        # Labels of the wrong type are reported for their own field.
        given: Any = values.get("labels")
        texts = isinstance(given, list | tuple) and all(isinstance(label, str) for label in given)
        return {**values, "roles": label_roles(given if texts else ())}

    @property
    def network_thresholds(self) -> dict[str, float]:
        """The thresholds as scores of the graph, for those who run it without a detector."""
        return {label: network_score(score, self.calibration) for label, score in self.thresholds.items()}

    @property
    def own_recall(self) -> dict[str, float]:
        """Share of the faces on val that the thresholds answer, for labels that `metrics` has it for."""
        found = {label: self.metrics.get(f"recall.{label}") for label in self.labels}
        return {label: value for label, value in found.items() if value is not None}

    def describe_thresholds(self) -> str:
        """Which policy chose the thresholds, and what they cost."""
        shares = ", ".join(f"{percentage(value)} of {label}" for label, value in self.own_recall.items())
        cost = f"on val they answer {shares}" if shares else "what they cost in recall is not stated"
        return f"{self.threshold_policy.describe()}; {cost}"
