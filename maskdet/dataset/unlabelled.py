"""The file of data.unlabelled: faces that a model is sure of and that have no label.

It only grows, but for pictures that are to be forgotten. Person and git read it: one line for each face.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from maskdet.dataset.manifest import Manifest, ManifestObject, ManifestPicture, Part, boxes_of
from maskdet.detector.answer import SAME_FACE_IOU
from maskdet.detector.iou import pairwise_iou
from maskdet.errors import DatasetError
from maskdet.system.files import write_text
from maskdet.wording.commands import command_line

ABOUT = "Written by maskdet data audit --unlabelled: faces without a label, not to be learnt as background."


@dataclass(frozen=True, slots=True)
class UnlabelledFace:
    """A face by the sha256 of its picture, whose name and root are for people; `box` is xyxy in pixels of the
    upright picture, label and score are the model's.
    """

    root: str
    picture: str
    sha256: str
    label: str
    box: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]
    score: FiniteFloat


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    about: str
    faces: tuple[UnlabelledFace, ...]


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """In the order of entry."""

    faces: tuple[UnlabelledFace, ...] = ()

    def joined_by(self, faces: Iterable[UnlabelledFace]) -> Unlabelled:
        """With the faces that are not in it yet."""
        return Unlabelled(tuple(dict.fromkeys(chain(self.faces, faces))))

    def without(self, digests: Iterable[str]) -> Unlabelled:
        """Nothing of the pictures with these sha256."""
        forgotten = set(digests)
        return Unlabelled(tuple(face for face in self.faces if face.sha256 not in forgotten))

    def objects(self, labels: Sequence[str]) -> Mapping[str, tuple[ManifestObject, ...]]:
        """By the sha256 of the picture. Raises DatasetError for a label that is none of `labels`."""
        found: dict[str, tuple[ManifestObject, ...]] = {}
        for face in self.faces:
            if face.label not in labels:
                what = f"data.unlabelled: {face.picture} has a face of the class {face.label}"
                raise DatasetError(what, f"the data's classes are {', '.join(labels)}: write the file anew")
            others = found.get(face.sha256, ())
            found[face.sha256] = (*others, ManifestObject(face.label, face.box, difficult=True))
        return found

    def added_to(self, manifest: Manifest, part: Part) -> Manifest:
        """With these faces, as difficult ones, in the pictures of one part. Raises as `objects`."""
        found = self.objects(manifest.labels)
        pictures = (
            replace(each, objects=(*each.objects, *_still_unlabelled(each, found.get(each.sha256, ()))))
            if each.part == part
            else each
            for each in manifest.pictures
        )
        return replace(manifest, pictures=tuple(pictures))

    def write(self, path: Path) -> None:
        """Replace the file as a whole."""
        rows = ",\n".join(json.dumps(asdict(face), ensure_ascii=False) for face in self.faces)
        write_text(path, f'{{\n"about": {json.dumps(ABOUT)},\n"faces": [\n{rows}\n]\n}}\n')


def _still_unlabelled(picture: ManifestPicture, faces: Sequence[ManifestObject]) -> list[ManifestObject]:
    """Without those that a person has labelled since."""
    overlaps = pairwise_iou(boxes_of(faces), boxes_of(picture.objects))
    labelled = overlaps.max(axis=1, initial=0) > SAME_FACE_IOU
    return [face for face, since in zip(faces, labelled, strict=True) if not since]


def read_unlabelled(path: Path) -> Unlabelled:
    """Read the file. Raises DatasetError if it is missing or damaged."""
    try:
        return Unlabelled(_File.model_validate_json(path.read_bytes()).faces)
    except OSError as error:
        what = f"{path} (data.unlabelled) cannot be read: {error.strerror}"
        command = command_line("data", "audit", "--unlabelled", path)
        hint = f"remove the key until `{command}` has written the file"
        raise DatasetError(what, hint) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        what = f"{path} (data.unlabelled) is damaged: {where or 'its text'}: {first['msg']}"
        raise DatasetError(what, "restore it from version control, or write it anew") from error
