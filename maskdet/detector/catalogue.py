"""The catalogue of the face-mask models that come with maskdet, and when to take which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEFAULT: Final = "default"
"""The one that is used where none is named."""


@dataclass(frozen=True, slots=True)
class ShippedModel:
    """One of the models in maskdet/models, whose files are STEM.onnx, STEM.safetensors and
    STEM.pictures.json.gz.

    name: in `--model` and `model.pretrained`; side: of the network's input in pixels; take_it: where, as the
    rest of a sentence; start: what its training started from, the name of another one or words; card: its
    page in docs/.
    """

    name: str
    stem: str
    side: int
    take_it: str
    start: str
    licence: str
    card: str

    @property
    def started_from(self) -> str:
        """In words."""
        return f"the shipped weights of {self.start}" if self.start in FAMILY else self.start

    @property
    def bundle(self) -> str:
        """Name of the file to detect with."""
        return f"{self.stem}.onnx"

    @property
    def weights(self) -> str:
        """Name of the file to train from."""
        return f"{self.stem}.safetensors"

    @property
    def pictures(self) -> str:
        """Name of the file with the hashes of the pictures that it was trained and validated on."""
        return f"{self.stem}.pictures.json.gz"


_MODELS: Final = (
    ShippedModel(
        name=DEFAULT,
        stem="face_mask",
        side=640,
        take_it="where accuracy matters most",
        start="published COCO weights, by way of a model of face_mask alone",
        licence="Apache-2.0",
        card="model-card.md",
    ),
    ShippedModel(
        name="fast",
        stem="face_mask_fast",
        side=320,
        take_it="where faces are near and time is short",
        start=DEFAULT,
        licence="Apache-2.0",
        card="model-card-fast.md",
    ),
)
FAMILY: Final = {model.name: model for model in _MODELS}
"""By name, the default one first."""


def family_words() -> str:
    """Every name and when to take it, for help texts."""
    return ", ".join(f"{model.name} {model.take_it}" for model in FAMILY.values())
