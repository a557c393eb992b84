"""The shapes of a VOC set that are read beside the one that prepare takes."""

from __future__ import annotations

from pathlib import Path

from maskdet.dataset.formats.coco_files import part_of
from maskdet.dataset.reading.image_sets import LISTED_PARTS, ListedPart
from maskdet.dataset.reading.layout import FLAT, VOC, Folders, folders_of, has_picture


def part_folders(root: Path) -> dict[Folders, ListedPart]:
    """train/, valid/ and test/, each with annotations beside the pictures, as Roboflow exports a VOC set."""
    places = [path for path in sorted(root.glob("*")) if part_of(path.name) and has_picture(path)]
    if not any(folders_of(path) == FLAT for path in places):
        return {}
    return {
        Folders(path.name, path.name): part
        for part in LISTED_PARTS
        for path in places
        if part_of(path.name) == part
    }


def other_shape(root: Path) -> str:
    """Where the files of a VOC set are, for people, if prepare does not look there; else ""."""
    folders = folders_of(root)
    if folders is not None:
        return "" if folders == VOC else str(folders)
    places = [f"{folders.pictures}/" for folders in part_folders(root)]
    return f"annotations beside the pictures in {', '.join(places)}" if places else ""
