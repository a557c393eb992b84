"""Reads one Pascal VOC annotation: tolerant where the meaning is clear, strict otherwise."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from maskdet.dataset.findings import Collector, Finding, clean
from maskdet.dataset.reading.xml_file import Element, RefusedXmlError, line_of, parse, stray_texts
from maskdet.types import Annotation, Box, LabelledBox

_SIDES = ("xmin", "ymin", "xmax", "ymax")
# Not float(): it also takes "1_000", "nan", "infinity" and digits of other scripts.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_TRUE = {"1", "true", "yes"}
_PLAIN_DIFFICULT = {"", "0", "1"}


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of one file: its annotation, None if the whole file is bad, and the findings.

    `unread` counts objects that cannot be read (no name, a coordinate missing or not a number): each is a
    finding, and not among the annotation's objects.
    """

    annotation: Annotation | None
    findings: tuple[Finding, ...]
    unread: int = 0


def read_annotation(path: Path, file: str) -> Reading:
    """Read the VOC file at `path`; findings call it `file`. Never raises because of the file's content."""
    report = Collector(file)
    try:
        root = parse(path)
    except RefusedXmlError as refusal:
        report.add(refusal.code, refusal.message, refusal.hint, line=refusal.line)
        return Reading(None, tuple(report.findings))
    if root.tag != "annotation":
        message = f"the root element is <{clean(root.tag, 40)}>, not <annotation>"
        report.add("xml-not-voc", message, line=line_of(root, root))
        return Reading(None, tuple(report.findings))
    annotation, unread = _read_root(root, path, report)
    return Reading(annotation, tuple(report.findings), unread)


def _read_root(root: Element, path: Path, report: Collector) -> tuple[Annotation, int]:
    for text, line in stray_texts(root):
        report.add("stray-text", f"text between elements: '{clean(text, 60)}'", line=line)
    height, width = _size(root, report)
    elements = root.findall("object")
    objects = [_read_object(element, number, report) for number, element in enumerate(elements, start=1)]
    kept = tuple(found for found in objects if found is not None)
    return Annotation(path, _text(root, "filename"), width, height, kept), len(objects) - len(kept)


def _size(root: Element, report: Collector) -> tuple[int, int]:
    """(height, width) as the file claims them, zeros if it does not."""
    texts = [_text(root, f"size/{side}") for side in ("width", "height")]
    width, height = (_finite(text) or 0.0 for text in texts)
    if width > 0 and height > 0 and width.is_integer() and height.is_integer():
        return int(height), int(width)
    said = " x ".join(clean(text, 20) or "nothing" for text in texts)
    line = line_of(root.find("size"), root)
    report.add("size-missing", f"<size> gives no width and height ({said})", line=line)
    return 0, 0


def _read_object(element: Element, number: int, report: Collector) -> LabelledBox | None:
    label = " ".join(_text(element, "name").split())
    if not label:
        line = line_of(element.find("name"), element)
        report.add("label-missing", "the object has no <name>", line=line, number=number)
    box = _read_box(element, number, report)
    difficult = _difficult(element, number, report)
    if box is None:
        return None
    return LabelledBox(label, box, difficult, line_of(element, element), number)


def _read_box(element: Element, number: int, report: Collector) -> Box | None:
    boxes = element.findall("bndbox")
    if len(boxes) != 1:
        said = "no <bndbox>" if not boxes else f"{len(boxes)} <bndbox> instead of one"
        line = line_of(element, element)
        report.add("coordinate-missing", f"the object has {said}", line=line, number=number)
        return None
    values = [value for side in _SIDES if (value := _read_side(boxes[0], side, number, report)) is not None]
    if len(values) != len(_SIDES):
        return None
    texts = [_text(boxes[0], side) for side in _SIDES]
    if not all(_INTEGER.fullmatch(text) for text in texts):
        message = f"coordinates with decimals: {clean(', '.join(texts), 80)}"
        report.add("float-coordinates", message, line=line_of(boxes[0], element), number=number)
    return values[0], values[1], values[2], values[3]


def _read_side(box: Element, side: str, number: int, report: Collector) -> float | None:
    text = _text(box, side)
    value = _finite(text)
    if value is None:
        code = "coordinate-invalid" if text else "coordinate-missing"
        message = f"{side} is '{clean(text, 40)}', not a number" if text else f"{side} is missing"
        report.add(code, message, line=line_of(box.find(side), box), number=number)
    return value


def _difficult(element: Element, number: int, report: Collector) -> bool:
    text = _text(element, "difficult")
    value = text.lower() in _TRUE
    if text not in _PLAIN_DIFFICULT:
        line = line_of(element.find("difficult"), element)
        message = f"difficult is '{clean(text, 40)}', read as {int(value)}"
        report.add("difficult-text", message, line=line, number=number)
    return value


def _finite(text: str) -> float | None:
    value = float(text) if NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else None


def _text(element: Element, path: str) -> str:
    """Text of a descendant without the space around it, "" where there is none."""
    text: str | None = element.findtext(path)
    return (text or "").strip()
