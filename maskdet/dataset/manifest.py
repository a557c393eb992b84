"""The manifest: what prepare found and decided, and all that later stages read of the data set."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maskdet.artefacts import reading
from maskdet.dataset.content import data_hash
from maskdet.errors import StageError
from maskdet.system.files import common_folder, relative_path, write_json
from maskdet.types import ANY_CLASS, Box, FloatArray, GroundTruth, box_of
from maskdet.wording.lexicon import Roles, label_roles

Part = Literal["train", "val"]


@dataclass(frozen=True, slots=True)
class ManifestObject:
    """A face that passed the checks: class after aliases, xyxy box in pixels, within the picture's edges.

    A label that is none of the manifest's is that of a face to ignore, whatever a model says there; it is
    always difficult.
    """

    label: str
    box: Box
    difficult: bool = False


@dataclass(frozen=True, slots=True)
class ManifestPicture:
    """One picture of the split. Paths are relative to its root with forward slashes.

    width and height are pixels after the picture's EXIF turn; sha256 is that of the picture's bytes.
    annotation is "" for a picture kept as a negative without a file. `root` is the name of its root;
    `phash` is what `duplicates.like_any` compares, "" for a picture of one tone; `luma` is its mean
    brightness, 0..255.
    """

    picture: str
    annotation: str
    part: Part
    width: int
    height: int
    sha256: str
    objects: tuple[ManifestObject, ...]
    root: str = ""
    phash: str = ""
    luma: float = 0.0


@dataclass(frozen=True, slots=True)
class ManifestRoot:
    """A folder of pictures. `weight` is how often an epoch shows each of its train pictures."""

    name: str
    path: Path
    weight: float = 1.0
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Names in its annotations and the classes that they stand for."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole split. `labels` is in the order of the class ids."""

    labels: tuple[str, ...]
    pictures: tuple[ManifestPicture, ...]
    roles: Roles = field(default_factory=dict, hash=False)
    """Role by label. Those not given follow from the names, also in a file without roles."""
    roots: tuple[ManifestRoot, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", label_roles(self.labels, self.roles))

    def part(self, part: Part) -> tuple[ManifestPicture, ...]:
        return tuple(picture for picture in self.pictures if picture.part == part)

    def root(self, picture: ManifestPicture) -> ManifestRoot:
        """Raises StageError if the manifest does not have the picture's root."""
        for root in self.roots:
            if root.name == picture.root:
                return root
        raise StageError(
            f"the manifest does not say where {picture.picture} is", "run `maskdet prepare --force`"
        )

    def path(self, picture: ManifestPicture) -> Path:
        """Where the picture is. Raises like `root`."""
        return self.root(picture).path / picture.picture

    def paths(self, part: Part) -> list[Path]:
        """Where the pictures of a part are. Raises like `root`."""
        return [self.path(picture) for picture in self.part(part)]

    def name(self, picture: ManifestPicture) -> str:
        """Tells the picture from all others: its path, after the name of its root if there are several."""
        return unique_name(self.collection(picture), picture.picture)

    def collection(self, picture: ManifestPicture) -> str:
        """The name of its root if there are several, else ""."""
        return picture.root if len(self.roots) > 1 else ""

    @property
    def collections(self) -> tuple[str, ...]:
        """The names of its roots if there are several."""
        return tuple(root.name for root in self.roots) if len(self.roots) > 1 else ()

    @property
    def files(self) -> dict[str, Path]:
        """The path of every picture by its name."""
        return {self.name(picture): self.path(picture) for picture in self.pictures}

    @property
    def folder(self) -> Path:
        """The root, or the deepest folder that holds all roots: lists are relative to it."""
        return common_folder(root.path for root in self.roots)

    @property
    def data_hash(self) -> str:
        """sha256 of the content; where the roots are does not matter."""
        return data_hash(self._json(Path()))

    def ground_truth(self, picture: ManifestPicture) -> GroundTruth:
        """The objects in their order; those of none of the labels are of ANY_CLASS."""
        ids = {label: number for number, label in enumerate(self.labels)}
        return GroundTruth(
            boxes=boxes_of(picture.objects),
            class_ids=np.array([ids.get(item.label, ANY_CLASS) for item in picture.objects], np.int64),
            difficult=np.array([item.difficult for item in picture.objects], np.bool_),
        )

    def write(self, path: Path) -> None:
        """Paths of roots are written relative to the file's folder, so that a project can be moved."""
        write_json(path, self._json(path.parent))

    def _json(self, start: Path) -> dict[str, Any]:
        roots = [
            {
                **asdict(root),
                "aliases": dict(root.aliases),
                "path": relative_path(root.path, start).as_posix(),
            }
            for root in self.roots
        ]
        pictures = [asdict(picture) for picture in self.pictures]
        return {"labels": self.labels, "pictures": pictures, "roles": dict(self.roles), "roots": roots}


def boxes_of(objects: Sequence[ManifestObject]) -> FloatArray:
    """Their boxes [N, 4], xyxy in pixels."""
    return np.array([item.box for item in objects], np.float32).reshape(-1, 4)


def unique_name(collection: str, picture: str) -> str:
    """A picture's name in findings, reports and splits; `collection` is "" in a data set of one root."""
    return f"{collection}/{picture}" if collection else picture


def load_manifest(path: Path) -> Manifest:
    """Read a manifest that `prepare` wrote. Raises StageError if it is missing or damaged."""
    with reading(path, "maskdet prepare"):
        raw = json.loads(path.read_text(encoding="utf-8"))
        pictures = tuple(_picture(item) for item in raw["pictures"])
        roots = tuple(_root(item, path.parent) for item in raw.get("roots", ()))
        return Manifest(tuple(raw["labels"]), pictures, raw.get("roles", {}), roots)


def _picture(raw: dict[str, Any]) -> ManifestPicture:
    objects = tuple(ManifestObject(o["label"], box_of(o["box"]), o["difficult"]) for o in raw["objects"])
    return ManifestPicture(**{**raw, "objects": objects})


def _root(raw: dict[str, Any], start: Path) -> ManifestRoot:
    path = Path(os.path.normpath(start.resolve() / raw["path"]))
    return ManifestRoot(raw["name"], path, float(raw["weight"]), dict(raw.get("aliases", {})))
