"""The `data` section of pipeline.yml."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from maskdet.settings import Name, Section
from maskdet.system.files import common_folder
from maskdet.wording.lexicon import Role
from maskdet.wording.names import name_of


class SplitSettings(Section):
    """How pictures are split into train and val."""

    ratio: Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,3}:[1-9]\d{0,3}$")] = "4:1"
    """Train to val, as whole numbers."""
    method: Literal["grouped", "random", "every-nth", "lists"] = "grouped"
    """grouped: stratified by class, near-duplicates stay together; random; every-nth: every n-th of the
    sorted names goes to val, starting with the first; lists: train.txt and val.txt in ImageSets/Main of
    each folder decide, and pictures of test.txt are in neither."""
    seed: int = 0
    """The same seed gives the same split on every machine."""


class DataRoot(Section):
    """One of several folders that make up the data set."""

    root: Path
    """Folder with JPEGImages/ and Annotations/."""
    name: Name | None = None
    """What reports call it; by default the folder's name."""
    aliases: dict[str, str] = Field(default_factory=dict)
    """Names in this folder's annotations, in addition to data.aliases, which they override."""
    weight: float = Field(1.0, gt=0, le=100)
    """How often an epoch shows each of its train pictures: 1 once, 0.5 every other epoch."""
    part: Literal["split", "train", "val"] = "split"
    """split: by data.split; train: none of its pictures is ever val, for labels that a model proposed and a
    person only accepted; val: none ever trains, nor do near-duplicates of them."""
    optional: bool = False
    """Accept a missing or empty folder, such as an inbox that nobody has sent a picture to."""
    corrects: bool = False
    """Whether its annotations replace those that other folders have for the same pictures, byte by byte: for
    an inbox, whose labels people have looked at."""


class DataSettings(Section):
    """The Pascal VOC folders and how to read them."""

    root: Path | None = None
    """Folder with JPEGImages/ and Annotations/. Either this or data.roots is required."""
    roots: tuple[DataRoot, ...] | None = Field(None, min_length=1)
    """Several folders that make up one data set: a list of `root` with its own keys."""
    labels: tuple[str, ...] | None = None
    """Class names in the model's order; by default the names found, sorted."""
    ignore: tuple[str, ...] = ()
    """Classes that the model does not have. Their faces count as difficult: neither faces nor background in
    training, and in evaluation neither finding nor missing one counts."""
    aliases: dict[str, str] = Field(default_factory=dict)
    """Name in the annotations to the class it stands for, such as face_nask: with_mask."""
    roles: dict[str, Role] = Field(default_factory=dict)
    """Role of each class whose name does not imply it: masked, bare or worn-wrong. Safety figures, verdicts
    and class matching depend on it."""
    skip_bad: bool = False
    """Drop bad items and list them, instead of stopping."""
    frozen_val: Path | None = None
    """A JSON file that prepare keeps, to be committed beside the pipeline file: what was val stays val.
    Pictures in it never train, nor do near-duplicates of them; only pictures unknown to it are split."""
    unlabelled: Path | None = None
    """A JSON file that `maskdet data audit --unlabelled FILE` wrote: faces that a model is sure of and that
    have no label. In training they are neither faces nor background; val stays as it is."""
    split: SplitSettings = SplitSettings()

    @property
    def every_root(self) -> tuple[NamedRoot, ...]:
        """The folders, however they are given, each with its name and all its aliases."""
        roots = self.roots or ((DataRoot(root=self.root),) if self.root else ())
        return tuple(
            NamedRoot(
                root=each.root,
                name=each.name or name_of(each.root, "data"),
                aliases={**self.aliases, **each.aliases},
                weight=each.weight,
                part=each.part,
                optional=each.optional,
                corrects=each.corrects,
            )
            for each in roots
        )

    @property
    def folder(self) -> Path:
        """The folder, or the deepest one that holds all of them."""
        return common_folder(each.root for each in self.every_root)

    @model_validator(mode="after")
    def _one_way(self) -> DataSettings:
        if self.root is None and self.roots is None:
            raise ValueError("root is missing: a folder with JPEGImages/ and Annotations/, or roots, a list")
        if self.root is not None and self.roots is not None:
            raise ValueError("both root and roots are given; keep one of them")
        names = Counter(each.name for each in self.every_root)
        if double := [name for name, number in names.items() if number > 1]:
            raise ValueError(f"two of the roots are called {double[0]}; give one another name")
        return self


class NamedRoot(DataRoot):
    """A root with nothing left to derive."""

    name: Name
