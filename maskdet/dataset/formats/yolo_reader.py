"""A YOLO set as a `LabelledSet`: lines `id cx cy w h` in shares of the picture, or outlines; no landmarks."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from maskdet.dataset.checking.boxes import inside
from maskdet.dataset.findings import Collector, Finding, clean
from maskdet.dataset.formats.labelled import LabelledObject, LabelledPicture, LabelledSet, size_of
from maskdet.dataset.formats.yolo_layout import YoloPicture, find_layout, read_text
from maskdet.dataset.formats.yolo_writer import DIFFICULT_FILE
from maskdet.dataset.reading.annotation import NUMBER
from maskdet.dataset.reading.sizes import NO_SIZE, PictureSize, Size, note_turn
from maskdet.errors import DatasetError
from maskdet.progress import Track, silent
from maskdet.types import Box, LabelledBox

_ID = re.compile(r"\d{1,9}", re.ASCII)
_OUTLINE_LEAST = 6
"""Values of three corners."""


def read_yolo(root: Path, track: Track = silent) -> LabelledSet:
    """Raises DatasetError if the folder has no pictures or does not name its classes.

    A picture without a label file counts as one without objects, as it does for Ultralytics. Difficult
    objects are those of difficult.json, if there is one.
    """
    report = Collector("data.yaml")
    layout = find_layout(root, report)
    difficult = _difficult_lines(root)
    reader = _Reader(root, layout.names, layout.landmarks, difficult)
    read = [reader.picture(item) for item in track(layout.pictures, "Reading", len(layout.pictures))]
    pictures = tuple(picture for picture in read if picture is not None)
    unknown = reader.unused()
    return LabelledSet(tuple(layout.names.values()), pictures, (*report.findings, *reader.findings, *unknown))


class _Reader:
    """Reads the label files, and gathers the findings about them."""

    def __init__(
        self, root: Path, names: Mapping[int, str], landmarks: int, difficult: Mapping[str, frozenset[int]]
    ) -> None:
        self._root, self._names, self._landmarks, self._difficult = root, names, landmarks, difficult
        self._met: dict[str, frozenset[int]] = {}
        self.findings: list[Finding] = []

    def picture(self, item: YoloPicture) -> LabelledPicture | None:
        own, report = Collector(item.picture.as_posix()), Collector(item.labels.as_posix())
        sizes = size_of(self._root / item.picture, own)
        lines = self._lines(item, report)
        objects = []
        if sizes is not None and lines:
            note_turn(NO_SIZE, sizes, report)
            objects = [found for line in lines if (found := self._object(*line, sizes, report))]
        self.findings.extend((*own.findings, *report.findings))
        if sizes is None or lines is None or (lines and not objects):
            return None
        return LabelledPicture(
            _name(item), self._root / item.picture, sizes.upright, tuple(objects), item.part
        )

    def unused(self) -> list[Finding]:
        """Difficult lines that no label file has."""
        missing = {file: lines - self._met.get(file, frozenset()) for file, lines in self._difficult.items()}
        return [
            Finding(
                "difficult-unknown", DIFFICULT_FILE, f"{clean(file, 120)} has no object in line {min(lines)}"
            )
            for file, lines in missing.items()
            if lines
        ]

    def _lines(self, item: YoloPicture, report: Collector) -> list[tuple[int, str]] | None:
        """The lines with text, with their numbers; None if the file cannot be read."""
        path = self._root / item.labels
        if not path.exists():
            report.add("labels-missing", f"no label file for {item.picture.name}; kept as a negative")
            return []
        try:
            text = read_text(path)
        except DatasetError as error:
            report.add("labels-unreadable", error.what.removeprefix(f"{path} "))
            return None
        return [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]

    def _object(self, number: int, line: str, size: PictureSize, report: Collector) -> LabelledObject | None:
        file = report.file
        self._met[file] = self._met.get(file, frozenset()) | {number}
        words = line.split()
        if fault := _fault(words, self._landmarks):
            report.add("object-invalid", f"'{clean(line, 60)}' {fault}", line=number)
            return None
        label = self._names.get(int(words[0]))
        if label is None:
            message = f"class id {words[0]} has no name; known are {_shown_ids(self._names)}"
            report.add("class-unknown", message, line=number)
            return None
        values = [float(word) for word in _own_words(words, self._landmarks)]
        if len(values) >= _OUTLINE_LEAST:
            report.add("outline-boxed", "an outline, read as the box around it", line=number)
        box = _box(values, size.upright)
        difficult = number in self._difficult.get(file, frozenset())
        placed = inside(LabelledBox(label, box, difficult, number, 0), size, report)
        return LabelledObject(label, placed.box, placed.difficult) if placed else None


def _fault(words: Sequence[str], landmarks: int) -> str:
    """Why a line is no object; empty if it is one."""
    if landmarks and len(words) != 5 + landmarks:
        return f"has {len(words)} values, and {5 + landmarks} by kpt_shape in data.yaml"
    own = _own_words(words, landmarks)
    if not (_ID.fullmatch(words[0]) and all(map(_is_share, own)) and _is_box_or_outline(own)):
        return "is not `id cx cy w h` with shares between 0 and 1"
    if len(own) >= _OUTLINE_LEAST and min(map(float, own)) < 0:
        return "is no outline, as it has a value below 0; if it has landmarks, add kpt_shape to data.yaml"
    return ""


def _own_words(words: Sequence[str], landmarks: int) -> Sequence[str]:
    """Those of the box or outline."""
    return words[1:5] if landmarks else words[1:]


def _is_share(word: str) -> bool:
    return bool(NUMBER.fullmatch(word)) and -1 <= float(word) <= 2


def _is_box_or_outline(values: Sequence[str]) -> bool:
    """Four, or the x and y of at least three corners."""
    return len(values) == 4 or (len(values) >= _OUTLINE_LEAST and len(values) % 2 == 0)


def _box(values: Sequence[float], size: Size) -> Box:
    """Shares as xyxy in pixels, to a thousandth."""
    height, width = size
    if len(values) == 4:
        cx, cy, w, h = values
        edges = (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
    else:
        edges = (min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2]))
    x1, y1, x2, y2 = edges
    return round(x1 * width, 3), round(y1 * height, 3), round(x2 * width, 3), round(y2 * height, 3)


def _name(item: YoloPicture) -> str:
    """Without the folders that say which part it is, or that it is a picture."""
    parts = item.picture.parts
    return "/".join([part for part in parts[:-1] if part not in {"images", item.part}] + [parts[-1]])


def _difficult_lines(root: Path) -> dict[str, frozenset[int]]:
    path = root / DIFFICULT_FILE
    if not path.is_file():
        return {}
    try:
        value = json.loads(read_text(path))
        return {file: frozenset(map(operator.index, lines)) for file, lines in value.items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        what = f"{path} is not an object of label files and their lines: {clean(str(error), 100)}"
        raise DatasetError(what, "correct it, or remove it: no object is then difficult") from error


def _shown_ids(names: Mapping[int, str]) -> str:
    return clean(", ".join(f"{number} {name}" for number, name in names.items()), 120)
