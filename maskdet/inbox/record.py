"""What is known about a picture of the inbox: the JSON file beside it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from maskdet.types import Box

State = Literal["proposal", "accepted", "corrected", "skipped", "rejected"]
How = Literal["accept", "correct", "skip", "reject"]
Suffix = Literal[".jpg", ".png", ".bmp", ".webp"]

STATES: dict[How, State] = {
    "accept": "accepted",
    "correct": "corrected",
    "skip": "skipped",
    "reject": "rejected",
}
TRAINING: frozenset[State] = frozenset({"accepted", "corrected"})
"""Only pictures in these states lie where a training can read them."""
NAME = r"[0-9a-f]{16}"
CORRECTION = "correction"
"""Why a picture is there that a person sent with its boxes."""


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class LabelledFace(_Plain):
    """A face as a person decided; x1, y1, x2, y2 in pixels of the picture."""

    label: str
    box: Box
    difficult: bool = False
    """Whether training and evaluation ignore it."""


class ProposedFace(_Plain):
    """A face as a model proposes it, or a label that no model contradicts."""

    label: str
    box: Box
    """x1, y1, x2, y2 in pixels of the picture."""
    score: float | None = None
    disputed: bool = False
    """Whether this face is why the picture is there."""
    difficult: bool = False
    """Whether it is a label that training and evaluation ignore."""


class Origin(_Plain):
    """Where a picture comes from. Empty texts are unknown."""

    model: str = ""
    """Name of the model that answered."""
    bundle: str = ""
    """The first characters of its bundle's sha256."""
    version: str = ""
    """Its version in the registry."""
    camera: str = ""
    """The tag that the client sent as X-Camera."""


NO_ORIGIN = Origin()


class Decision(_Plain):
    """A person's word on a picture."""

    how: How
    by: str
    """Name of the API key; empty if the server has no keys."""
    at: str
    """When, in UTC."""


class Record(_Plain):
    """One picture of the inbox. `revision` counts its changes."""

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    suffix: Suffix
    state: State
    revision: int = 1
    sha256: str
    phash: str
    """Perceptual hash, 64 hex digits; empty for a picture of one tone."""
    width: int
    height: int
    size: int
    """Bytes of the picture."""
    why: str
    at: str
    """When it came, in UTC."""
    undone: str = ""
    """When a decision on it was last undone, in UTC; empty: never."""
    origin: Origin = NO_ORIGIN
    about: str = ""
    """More about the reason, in words."""
    proposed: tuple[ProposedFace, ...] = ()
    blurred: tuple[Box, ...] = ()
    """Faces that were made unrecognisable."""
    boxes: tuple[LabelledFace, ...] = ()
    """As decided, in the states accepted and corrected."""
    decision: Decision | None = None

    @property
    def file(self) -> str:
        return f"{self.name}{self.suffix}"

    @property
    def since(self) -> str:
        """When it came into its state, in UTC."""
        return self.decision.at if self.decision else self.undone or self.at

    @property
    def trains(self) -> bool:
        return self.state in TRAINING
