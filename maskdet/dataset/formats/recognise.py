"""Which format a labelled set has, by the files in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from maskdet.dataset.formats.coco_files import FOLDER, ROBOFLOW
from maskdet.dataset.formats.json_kinds import is_coco, is_labelme
from maskdet.dataset.formats.voc_shape import part_folders
from maskdet.dataset.formats.yolo_layout import NAME_FILES, data_file
from maskdet.dataset.reading.layout import VOC, folders_of
from maskdet.errors import DatasetError

Format = Literal["voc", "coco", "yolo"]
FORMATS: Final[tuple[Format, ...]] = ("voc", "coco", "yolo")
TITLES: Final[dict[Format, str]] = {"voc": "Pascal VOC", "coco": "COCO", "yolo": "YOLO"}
_NAMED: Final = 3
"""Folders that a hint names."""


def recognise(source: Path) -> Format | None:
    """The format of a folder, or of one .json file; None if nothing in it says."""
    if source.is_file():
        return "coco" if source.suffix.lower() == ".json" and not is_labelme(source) else None
    folders = folders_of(source)
    if folders == VOC:
        return "voc"
    if data_file(source) is not None:
        return "yolo"
    # labelImg may have left its classes.txt beside the annotations.
    if folders is not None or part_folders(source):
        return "voc"
    if _has_label_files(source):
        return "yolo"
    return "coco" if _has_documents(source) else None


def nearby(source: Path) -> str:
    """A hint that names the sets one level below or above a folder that is none, "" if there are none."""
    above = source.parent if source.name else source / ".."
    around = [*sorted(path for path in source.glob("[!.]*") if path.is_dir()), above]
    sets = [str(path) for path in around if recognise(path)]
    return f"did you mean {' or '.join(sets[:_NAMED])}?" if sets else ""


def _has_label_files(root: Path) -> bool:
    named = any((root / name).is_file() for name in NAME_FILES)
    return named or ((root / "labels").is_dir() and (root / "images").is_dir())


def _has_documents(root: Path) -> bool:
    patterns = (f"{FOLDER}/*.json", ROBOFLOW, f"*/{ROBOFLOW}", "*.json")
    return any(is_coco(path) for pattern in patterns for path in root.glob(pattern))


def refuse_labelme(source: Path) -> None:
    """Raise DatasetError if a folder or file is labelme's, which has one JSON file for each picture."""
    if is_labelme(source):
        what = (
            f"{source} is labelled with labelme, one JSON file for each picture, which maskdet does not read"
        )
        raise DatasetError(
            what, "turn it into VOC or COCO with labelme's own labelme2voc.py or labelme2coco.py"
        )
