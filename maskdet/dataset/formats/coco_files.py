"""Finds the annotation files of a COCO set, and reads one as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, NoReturn

from maskdet.dataset.formats.json_kinds import is_coco
from maskdet.dataset.formats.labelled import PARTS
from maskdet.dataset.formats.safe_paths import existing_file
from maskdet.errors import DatasetError

FOLDER: Final = "annotations"
ROBOFLOW: Final = "_annotations.coco.json"
MAX_BYTES: Final = 1024**3
"""COCO's own largest file, of 118,000 pictures, has 470 MB."""
_PART_NAMES: Final = {**{part: part for part in PARTS}, "valid": "val", "validation": "val"}
_HINT: Final = f"expected {FOLDER}/*.json, */{ROBOFLOW}, or the path of one .json file"


@dataclass(frozen=True, slots=True)
class CocoFile:
    """An annotation file; pictures are looked for in `places`, in this order. `name` is relative."""

    path: Path
    name: str
    part: str
    places: tuple[Path, ...]

    def find(self, picture: PurePosixPath) -> Path | None:
        """The picture that an entry names, None if there is none."""
        found = (existing_file(place, picture) for place in self.places)
        return next((file for file in found if file is not None), None)

    def shown_places(self) -> str:
        """Where pictures are looked for, as the user would name it."""
        return ", ".join(dict.fromkeys(f"{place}/" for place in self.places))


def find_files(source: Path) -> list[CocoFile]:
    """The files of a folder, or the one that is named. Raises DatasetError if it is unclear what they are."""
    if source.is_file():
        root = source.parent.parent if source.parent.name == FOLDER else source.parent
        return [_file(source, root, "")]
    paths = _listed(source)
    if not paths:
        raise DatasetError(f"{source} holds no COCO annotations", _HINT)
    files = [_file(path, source, part_of(_said(path, source)) if len(paths) > 1 else "") for path in paths]
    parts = [file.part for file in files]
    if len(files) > 1 and ("" in parts or len(set(parts)) < len(parts)):
        names = ", ".join(file.name for file in files)
        what = f"{source}: it is unclear which of {names} is train, val and test"
        raise DatasetError(what, "name each after one of them, as instances_train.json, or pass one file")
    return files


def part_of(name: str) -> str:
    """train, val or test if a word of the name says so, else ""."""
    words = re.findall(r"[a-z]+", name.lower())
    return next((_PART_NAMES[word] for word in words if word in _PART_NAMES), "")


def read_json(file: CocoFile) -> dict[str, Any]:
    """The document. Raises DatasetError, with file and line, for anything that is not a JSON object."""
    try:
        if file.path.stat().st_size > MAX_BYTES:
            raise DatasetError(f"{file.path} is larger than {MAX_BYTES // 1024**2} MiB", "split it")
        value = json.loads(file.path.read_text(encoding="utf-8-sig"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise DatasetError(f"{file.path}:{error.lineno}: not JSON: {error.msg}", "save it again") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(
            f"{file.path} cannot be read: {error}", "save it again as JSON in UTF-8"
        ) from error
    if not isinstance(value, dict):
        raise DatasetError(f"{file.path} is not a COCO document: it holds no JSON object", _HINT)
    return value


def _listed(root: Path) -> list[Path]:
    folder = sorted((root / FOLDER).glob("*.json"))
    instances = [path for path in folder if path.name.startswith("instances")]
    exported = sorted([*root.glob(ROBOFLOW), *root.glob(f"*/{ROBOFLOW}")])
    return instances or folder or exported or [path for path in sorted(root.glob("*.json")) if is_coco(path)]


def _said(path: Path, root: Path) -> str:
    """What names the part: the file, or with Roboflow the folder that it is in."""
    return path.stem if path.name != ROBOFLOW else path.relative_to(root).parent.name


def _file(path: Path, root: Path, part: str) -> CocoFile:
    # instances_train2017.json goes with the folder train2017/.
    words = [word for word in path.stem.split("_") if part_of(word)]
    names = dict.fromkeys([*words, part_of(path.stem)])
    folders = [root / "images" / name for name in names if name] + [root / "images"]
    # FiftyOne writes labels.json beside data/.
    folders += [*(root / name for name in names if name), root / "data"]
    return CocoFile(path, path.relative_to(root).as_posix(), part, (path.parent, *folders, root))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is not a number")
