"""The `data` section of pipeline.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from maskdet.lexicon import Role
from maskdet.settings import Section


class SplitSettings(Section):
    """How pictures are split into train and val."""

    ratio: Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,3}:[1-9]\d{0,3}$")] = "4:1"
    """Train to val, as whole numbers."""
    method: Literal["grouped", "random", "every-nth"] = "grouped"
    """grouped: stratified by class, near-duplicates stay together; random; every-nth: every n-th of the
    sorted names goes to val, starting with the first."""
    seed: int = 0
    """The same seed gives the same split on every machine."""


class DataSettings(Section):
    """A Pascal VOC folder and how to read it."""

    root: Path
    """Folder with JPEGImages/ and Annotations/."""
    labels: tuple[str, ...] | None = None
    """Class names in the model's order; by default the names found, sorted."""
    aliases: dict[str, str] = Field(default_factory=dict)
    """Name in the annotations to the class it stands for, such as face_nask: with_mask."""
    roles: dict[str, Role] = Field(default_factory=dict)
    """Role of each class whose name does not imply it: masked, bare or worn-wrong. Safety figures, verdicts
    and class matching depend on it."""
    skip_bad: bool = False
    """Drop bad items and list them, instead of stopping."""
    split: SplitSettings = SplitSettings()
