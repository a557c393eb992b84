"""Checks the objects of one annotation against the picture they lie in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from maskdet.dataset.findings import Collector
from maskdet.dataset.labels import LabelBook
from maskdet.dataset.manifest import ManifestObject
from maskdet.types import Box, LabelledBox

TOLERANCE = 1.0
"""Pixels by which a box may cross an edge, to be clipped. VOC counts from 1, so tools differ by one."""


def usable_objects(
    objects: Sequence[LabelledBox], size: tuple[int, int], labels: LabelBook, report: Collector
) -> tuple[ManifestObject, ...]:
    """The objects that pass, clipped to the picture of `size` (height, width); findings go to `report`."""
    conflicts = _conflicts(objects, labels, report)
    seen: dict[tuple[str, Box], int] = {}
    usable = []
    for item in objects:
        label = _label(item, labels, report)
        sound = is_sound(item, size, report)
        if label is None or not sound or item.number in conflicts:
            continue
        first = seen.setdefault((label, item.box), item.number)
        if first == item.number:
            difficult = item.difficult or item.label in labels.ignored
            usable.append(ManifestObject(label, _cut(item, size, report), difficult))
        else:
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


def is_sound(item: LabelledBox, size: tuple[int, int], report: Collector) -> bool:
    """Whether a box has area and lies in the picture of `size` (height, width), give or take TOLERANCE."""
    xmin, ymin, xmax, ymax = item.box
    height, width = size
    said = f"box {_shown(item.box)}"
    if xmin > xmax or ymin > ymax:
        axis = "xmin is greater than xmax" if xmin > xmax else "ymin is greater than ymax"
        report.add("box-inverted", f"{said}: {axis}", line=item.line, number=item.number)
        return False
    if xmin == xmax or ymin == ymax:
        report.add("box-empty", f"{said} has no area", line=item.line, number=item.number)
        return False
    if _overhang(item.box, size) > TOLERANCE or xmin >= width or ymin >= height or xmax <= 0 or ymax <= 0:
        message = f"{said} reaches beyond the picture, {width} x {height}"
        report.add("box-outside", message, line=item.line, number=item.number)
        return False
    return True


def _cut(item: LabelledBox, size: tuple[int, int], report: Collector) -> Box:
    overhang = _overhang(item.box, size)
    if overhang <= 0:
        return item.box
    height, width = size
    message = f"box {_shown(item.box)} reaches {overhang:g} px beyond the picture, {width} x {height}; cut"
    report.add("box-edge", message, line=item.line, number=item.number)
    xmin, ymin, xmax, ymax = item.box
    return max(xmin, 0.0), max(ymin, 0.0), min(xmax, float(width)), min(ymax, float(height))


def _overhang(box: Box, size: tuple[int, int]) -> float:
    """Pixels by which the box reaches beyond the farthest-crossed edge; 0 or less if it lies inside."""
    (xmin, ymin, xmax, ymax), (height, width) = box, size
    return max(-xmin, -ymin, xmax - width, ymax - height)


def _shown(box: Box) -> str:
    return "(" + ", ".join(f"{value:g}" for value in box) + ")"
