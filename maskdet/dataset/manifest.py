"""The manifest: what prepare found and decided, and all that later stages read of the data set."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maskdet.errors import StageError
from maskdet.files import write_json
from maskdet.lexicon import Roles, label_roles
from maskdet.types import GroundTruth

Part = Literal["train", "val"]


@dataclass(frozen=True, slots=True)
class ManifestObject:
    """A face that passed the checks: class after aliases, xyxy box in pixels, within the picture's edges."""

    label: str
    box: tuple[float, float, float, float]
    difficult: bool = False


@dataclass(frozen=True, slots=True)
class ManifestPicture:
    """One picture of the split. Paths are relative to the data root with forward slashes.

    width and height are pixels after the picture's EXIF turn; sha256 is that of the picture's bytes.
    annotation is "" for a picture kept as a negative without a file.
    """

    picture: str
    annotation: str
    part: Part
    width: int
    height: int
    sha256: str
    objects: tuple[ManifestObject, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole split. `labels` is in the order of the class ids."""

    labels: tuple[str, ...]
    pictures: tuple[ManifestPicture, ...]
    roles: Roles = field(default_factory=dict, hash=False)
    """Role by label. Those not given follow from the names, also in a file without roles."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", label_roles(self.labels, self.roles))

    def part(self, part: Part) -> tuple[ManifestPicture, ...]:
        return tuple(picture for picture in self.pictures if picture.part == part)

    def ground_truth(self, picture: ManifestPicture) -> GroundTruth:
        ids = {label: number for number, label in enumerate(self.labels)}
        objects = picture.objects
        return GroundTruth(
            boxes=np.array([o.box for o in objects], np.float32).reshape(-1, 4),
            class_ids=np.array([ids[o.label] for o in objects], np.int64),
            difficult=np.array([o.difficult for o in objects], np.bool_),
        )

    def write(self, path: Path) -> None:
        pictures = [asdict(picture) for picture in self.pictures]
        write_json(path, {"labels": self.labels, "pictures": pictures, "roles": dict(self.roles)})


def load_manifest(path: Path) -> Manifest:
    """Read a manifest that `prepare` wrote. Raises StageError if it is missing or damaged."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        pictures = tuple(_picture(item) for item in raw["pictures"])
        return Manifest(tuple(raw["labels"]), pictures, raw.get("roles", {}))
    except FileNotFoundError as error:
        raise StageError(f"{path} is missing", "run `maskdet prepare` first") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StageError(f"{path} is damaged: {error}", "run `maskdet prepare --force`") from error


def _picture(raw: dict[str, Any]) -> ManifestPicture:
    objects = tuple(ManifestObject(o["label"], tuple(o["box"]), o["difficult"]) for o in raw["objects"])
    return ManifestPicture(**{**raw, "objects": objects})
