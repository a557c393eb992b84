"""What the bundle's metadata holds: all that is needed to run the model, and where it came from."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from maskdet.settings import Section

METADATA_KEY = "maskdet"
"""The ONNX metadata_props key whose value is a `BundleMeta` as JSON."""
UNCERTAIN_BAND: Final = 0.15
"""How far below its threshold a face leaves doubt, where nothing else is asked for."""


class NmsSettings(Section):
    """Per-class non-maximum suppression, PicoDet's values by default."""

    score_threshold: float = Field(0.025, ge=0, le=1)
    """Candidates below it are dropped before NMS."""
    iou_threshold: float = Field(0.6, ge=0, le=1)
    """A box that overlaps a better one of its class by more is dropped."""
    top_k: int = Field(1000, ge=1)
    """Candidates a class that enter NMS."""
    keep: int = Field(100, ge=1)
    """Detections a picture after NMS, best first."""

    def from_score(self, score: float) -> NmsSettings:
        """These settings for who needs no detection below `score`: those at or above it stay what they are.

        A box is suppressed by better ones only, so what is poorer need not even enter NMS.
        """
        return self.model_copy(update={"score_threshold": max(score, self.score_threshold)})


class BundleMeta(Section):
    """The graph takes `image` uint8 [N, H, W, 3] RGB, already resized to input_size, and gives `boxes`
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
    input_size: tuple[int, int]
    """Height and width of the network input in pixels."""
    mean: tuple[float, float, float]
    """RGB mean on a 0..1 scale; for information, the graph applies it."""
    std: tuple[float, float, float]
    """RGB standard deviation on a 0..1 scale; for information, the graph applies it."""
    nms: NmsSettings = NmsSettings()
    thresholds: dict[str, float]
    """Score from which a detection of each class counts."""
    manifest_sha256: str = ""
    """Hash of the manifest the model was trained from."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Figures on val, such as ap50, as fractions of 1."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Packages that made the file."""
    licence: str = "Apache-2.0"
