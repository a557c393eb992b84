"""The `data` section of pipeline.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from maskdet.lexicon import Role
from maskdet.settings import Section


class SplitSettings(Section):
    """How pictures are dealt to train and val."""

    ratio: Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,3}:[1-9]\d{0,3}$")] = "4:1"
    """Train to val, as whole numbers."""
    method: Literal["grouped", "random", "every-nth"] = "grouped"
    """grouped: near-duplicates stay on one side, stratified by class; random; every-nth: of the sorted names
    every n-th goes to val, the first one included."""
    seed: int = 0
    """The same seed deals the same way on every machine."""


class DataSettings(Section):
    """A Pascal VOC folder and how to read it."""

    root: Path
    """Folder with JPEGImages/ and Annotations/."""
    labels: tuple[str, ...] | None = None
    """Class names in the model's order; left out: the names found, sorted."""
    aliases: dict[str, str] = Field(default_factory=dict)
    """Written name to the class it stands for, such as face_nask: with_mask."""
    roles: dict[str, Role] = Field(default_factory=dict)
    """What a class says of a face, where its name does not tell: masked, bare or worn-wrong. Safety figures,
    verdicts and the matching of classes follow it."""
    skip_bad: bool = False
    """Drop what is bad and list it, instead of stopping."""
    split: SplitSettings = SplitSettings()
