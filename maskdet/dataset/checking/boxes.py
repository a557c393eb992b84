"""Checks the objects of one annotation against the picture they lie in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from maskdet.dataset.checking.labels import LabelBook
from maskdet.dataset.findings import Collector
from maskdet.dataset.manifest import ManifestObject
from maskdet.dataset.reading.sizes import PictureSize, Size
from maskdet.types import Box, LabelledBox

UNSURE = " ?"
"""Label of a face whose class is in doubt: it is ignored, as nothing is known but its place. No class starts
with a space, so none has this name."""

TOLERANCE = 1.0
"""Pixels by which a box may cross an edge, to be clipped. VOC counts from 1, so tools differ by one."""
_HALF = 0.5
"""Share of a box in the picture from which the rest of it still is that face."""


def usable_objects(
    objects: Sequence[LabelledBox], size: PictureSize, labels: LabelBook, report: Collector
) -> tuple[ManifestObject, ...]:
    """The objects that pass, clipped to the picture of `size`; findings go to `report`.

    One whose class is in doubt is `UNSURE` and difficult, as is one that lies mostly outside.
    """
    conflicts = _conflicts(objects, labels, report)
    seen: dict[tuple[str, Box], int] = {}
    usable = []
    for item in objects:
        written = _label(item, labels, report)
        label = UNSURE if written is None or item.number in conflicts else written
        kept = inside(item, size, report)
        if kept is None:
            continue
        first = seen.setdefault((label, item.box), item.number)
        if first == item.number:
            difficult = kept.difficult or label == UNSURE or item.label in labels.ignored
            usable.append(ManifestObject(label, _cut(kept, size, report), difficult))
        elif label != UNSURE:
            message = f"the same as object {first} ({label}, same box); counted once"
            report.add("duplicate-object", message, line=item.line, number=item.number)
    return tuple(usable)


def _label(item: LabelledBox, labels: LabelBook, report: Collector) -> str | None:
    fault = labels.faults.get(item.label)
    if fault:
        report.add(fault.code, fault.message, fault.hint, line=item.line, number=item.number)
    return labels.classes.get(item.label)


def _conflicts(objects: Sequence[LabelledBox], labels: LabelBook, report: Collector) -> set[int]:
    """Numbers of the objects whose box has two classes; there is no telling which is right."""
    boxes: dict[Box, list[LabelledBox]] = defaultdict(list)
    for item in objects:
        if item.label in labels.classes:
            boxes[item.box].append(item)
    numbers = set()
    for same in boxes.values():
        classes = sorted({labels.classes[item.label] for item in same})
        if len(classes) > 1:
            for item in same:
                message = f"one box is called {' and '.join(classes)}"
                report.add("label-conflict", message, "keep one", line=item.line, number=item.number)
                numbers.add(item.number)
    return numbers


def inside(item: LabelledBox, size: PictureSize, report: Collector) -> LabelledBox | None:
    """The object if its box has area and lies in the picture of `size`, within TOLERANCE.

    Of a box that reaches further beyond an edge, what is inside; less than half of it is difficult. None
    without area in the picture. Each of these is an error in `report`.
    """
    if not _has_area(item, report):
        return None
    share = _share_inside(item.box, size.upright)
    if share > 0 and _overhang(item.box, size.upright) <= TOLERANCE:
        return item
    code = "box-away" if share <= 0 else "box-outside" if share >= _HALF else "box-far-outside"
    fate = {"box-outside": "is cut there", "box-far-outside": "is ignored"}.get(code, "is dropped")
    message = f"box {_shown(item.box)} reaches beyond the picture, {size}; with skip_bad it {fate}"
    report.add(code, message, line=item.line, number=item.number)
    if share <= 0:
        return None
    return replace(item, box=_clipped(item.box, size.upright), difficult=item.difficult or share < _HALF)


def _has_area(item: LabelledBox, report: Collector) -> bool:
    xmin, ymin, xmax, ymax = item.box
    said = f"box {_shown(item.box)}"
    if xmin > xmax or ymin > ymax:
        axis = "xmin is greater than xmax" if xmin > xmax else "ymin is greater than ymax"
        report.add("box-inverted", f"{said}: {axis}", line=item.line, number=item.number)
        return False
    if xmin == xmax or ymin == ymax:
        report.add("box-empty", f"{said} has no area", line=item.line, number=item.number)
        return False
    return True


def _cut(item: LabelledBox, size: PictureSize, report: Collector) -> Box:
    overhang = _overhang(item.box, size.upright)
    if overhang <= 0:
        return item.box
    message = f"box {_shown(item.box)} reaches {overhang:g} px beyond the picture, {size}; cut"
    report.add("box-edge", message, line=item.line, number=item.number)
    return _clipped(item.box, size.upright)


def _share_inside(box: Box, size: Size) -> float:
    """The share of the area that is in the picture, 0 if none is."""
    xmin, ymin, xmax, ymax = _clipped(box, size)
    whole = (box[2] - box[0]) * (box[3] - box[1])
    return max(xmax - xmin, 0.0) * max(ymax - ymin, 0.0) / whole


def _clipped(box: Box, size: Size) -> Box:
    (xmin, ymin, xmax, ymax), (height, width) = box, size
    return max(xmin, 0.0), max(ymin, 0.0), min(xmax, float(width)), min(ymax, float(height))


def _overhang(box: Box, size: Size) -> float:
    """Pixels by which the box reaches beyond the farthest-crossed edge; 0 or less if it lies inside."""
    (xmin, ymin, xmax, ymax), (height, width) = box, size
    return max(-xmin, -ymin, xmax - width, ymax - height)


def _shown(box: Box) -> str:
    return "(" + ", ".join(f"{value:g}" for value in box) + ")"
