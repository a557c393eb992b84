"""COCO annotation files as a `LabelledSet`. Every entry is checked: the file may be a stranger's."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from maskdet.dataset.checking.boxes import inside
from maskdet.dataset.findings import Collector, Finding, clean
from maskdet.dataset.formats.coco_files import CocoFile, find_files, read_json
from maskdet.dataset.formats.labelled import LabelledObject, LabelledPicture, LabelledSet, size_of
from maskdet.dataset.formats.safe_paths import inner_path, refusal
from maskdet.dataset.reading.pictures import FORMATS
from maskdet.dataset.reading.sizes import NO_SIZE, PictureSize, Size, fits_picture, note_turn
from maskdet.errors import DatasetError
from maskdet.progress import Track, silent
from maskdet.types import Box, LabelledBox

Entry = Mapping[str, Any]


def read_coco(source: Path, track: Track = silent) -> LabelledSet:
    """`source` is a folder or one annotation file. Raises DatasetError if there is none, or it is damaged.

    Categories count in the order of their ids. A crowd region becomes a difficult object.
    """
    labels: dict[str, None] = {}
    pictures: list[LabelledPicture] = []
    findings: list[Finding] = []
    for file in find_files(source):
        reader = _Reader(file)
        labels.update(dict.fromkeys(reader.labels.values()))
        pictures.extend(reader.pictures(track))
        findings.extend(reader.report.findings)
    return LabelledSet(tuple(labels), tuple(pictures), tuple(findings))


class _Reader:
    """One annotation file, and the findings about it."""

    def __init__(self, file: CocoFile) -> None:
        self._file = file
        self.report = Collector(file.name)
        document = read_json(file)
        self._images, self._annotations, categories = (
            _entries(document, key, file.path) for key in ("images", "annotations", "categories")
        )
        self.labels = _labels(categories, file.path)
        """Label by category id."""

    def pictures(self, track: Track) -> list[LabelledPicture]:
        objects = self._by_image()
        seen: set[object] = set()
        pictures = []
        for number, entry in enumerate(track(self._images, "Reading", len(self._images))):
            where = f"images[{number}]"
            own = objects.pop(_key(entry.get("id")), [])
            picture = None if self._is_repeated(entry, where, seen) else self._picture(entry, where, own)
            if picture is not None:
                pictures.append(picture)
        if (
            self._images
            and not pictures
            and all(each.code == "picture-missing" for each in self.report.findings)
        ):
            message = f"none of its pictures was found; looked in {self._file.shown_places()}"
            self.report.add("picture-missing", message, "put them into one of these")
        for lost in objects.values():
            for where, entry in lost:
                message = f"{where}: image_id {_shown(entry.get('image_id'))} is not that of an image"
                self.report.add("picture-unknown", message)
        return pictures

    def _by_image(self) -> dict[object, list[tuple[str, Entry]]]:
        found: dict[object, list[tuple[str, Entry]]] = defaultdict(list)
        for number, entry in enumerate(self._annotations):
            found[_key(entry.get("image_id"))].append((f"annotations[{number}]", entry))
        return found

    def _is_repeated(self, entry: Entry, where: str, seen: set[object]) -> bool:
        keys = {("id", _key(entry.get("id"))), ("name", _key(entry.get("file_name")))}
        repeated = bool(keys & seen)
        seen |= keys
        if repeated:
            message = f"{where}: an earlier image has the same id or file_name"
            self.report.add("picture-listed-twice", message)
        return repeated

    def _picture(self, entry: Entry, where: str, own: list[tuple[str, Entry]]) -> LabelledPicture | None:
        name = entry.get("file_name")
        path = inner_path(name) if isinstance(name, str) else None
        if path is None:
            code, reason = refusal(name, "path")
            self.report.add(code, f"{where}: file_name {_shown(name)} {reason}")
            return None
        file = self._file.find(path) if path.suffix.lower() in FORMATS else None
        if file is None:
            message = f"{where}: there is no JPEG, PNG, BMP or WebP picture {clean(path.as_posix(), 120)}"
            self.report.add("picture-missing", message)
            return None
        report = Collector(f"{self._file.name}: {where}")
        sizes = size_of(file, report)
        claimed = _claimed(entry)
        usable = sizes is not None and fits_picture(claimed, sizes, report)
        if sizes and usable and own:
            note_turn(claimed, sizes, report)
        self.report.findings.extend(report.findings)
        if sizes is None or not usable:
            return None
        objects = [item for place, one in own if (item := self._object(one, place, sizes))]
        if own and not objects:
            return None
        return LabelledPicture(path.as_posix(), file, sizes.upright, tuple(objects), self._file.part)

    def _object(self, entry: Entry, where: str, size: PictureSize) -> LabelledObject | None:
        category = entry.get("category_id")
        label = self.labels.get(category) if _is_integer(category) else None
        box = _box(entry.get("bbox"))
        if label is None:
            message = f"{where}: category_id {_shown(category)} is not in categories"
            self.report.add("class-unknown", message)
        if box is None:
            message = f"{where}: bbox {_shown(entry.get('bbox'))} is not four numbers x, y, width, height"
            self.report.add("object-invalid", message)
        if label is None or box is None:
            return None
        report = Collector(f"{self._file.name}: {where}")
        crowd = bool(entry.get("iscrowd"))
        if crowd:
            report.add("crowd-difficult", "a crowd region, read as a difficult object")
        difficult = crowd or bool(entry.get("difficult"))
        # VOC and YOLO sets are read to a thousandth of a pixel, so a box needs area at that precision.
        x1, y1, x2, y2 = (round(edge, 3) for edge in box)
        rounded = (x1, y1, x2, y2)
        placed = inside(LabelledBox(label, rounded, difficult, 0, 0), size, report)
        self.report.findings.extend(report.findings)
        if placed is None:
            return None
        # What was not cut keeps all its decimals.
        return LabelledObject(label, box if placed.box == rounded else placed.box, placed.difficult)


def _entries(document: Entry, key: str, path: Path) -> list[Entry]:
    entries = document.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DatasetError(
            f"{path}: {key} is not a list of objects",
            "a COCO document has images, annotations and categories",
        )
    return entries


def _labels(categories: list[Entry], path: Path) -> dict[int, str]:
    labels: dict[int, str] = {}
    for number, entry in enumerate(categories):
        identity, name = entry.get("id"), entry.get("name")
        label = " ".join(name.split()) if isinstance(name, str) else ""
        if not _is_integer(identity) or not label:
            raise DatasetError(f"{path}: categories[{number}] has no integer id and name", "add them")
        if identity in labels or label in labels.values():
            raise DatasetError(f"{path}: categories[{number}] repeats an id or a name", "merge the two")
        labels[identity] = label
    return dict(sorted(labels.items()))


def _claimed(entry: Entry) -> Size:
    """(height, width) as the entry claims them, zeros if it does not."""
    height, width = entry.get("height"), entry.get("width")
    return (height, width) if _is_integer(height) and _is_integer(width) else NO_SIZE


def _box(value: object) -> Box | None:
    """[x, y, width, height] as xyxy."""
    if not isinstance(value, list) or len(value) != 4 or not all(_is_number(side) for side in value):
        return None
    x, y, width, height = map(float, value)
    box = (x, y, x + width, y + height)
    return box if all(math.isfinite(edge) for edge in box) else None


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    # An integer beyond a float's range would not become one.
    return isinstance(value, float) or (_is_integer(value) and abs(value) < 1e9)


def _key(value: object) -> object:
    """An id that can be looked up, whatever it is; 1 and "1" are different ones."""
    return value if _is_integer(value) or isinstance(value, str) else repr(value)


def _shown(value: object) -> str:
    return clean(repr(value), 80)
