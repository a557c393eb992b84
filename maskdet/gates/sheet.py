"""The deciding pictures drawn: what is labelled, what the champion says, what the challenger says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw

from maskdet.detector.draw import draw
from maskdet.detector.outline import Colour
from maskdet.detector.picture import read_picture
from maskdet.evaluation.sheet.colours import INK, PAPER
from maskdet.evaluation.sheet.text import write_within
from maskdet.gates.deciding import Answer, Deciding
from maskdet.system.files import staged_file
from maskdet.types import ANY_CLASS, Detections, Picture

_SIDE: Final = 420
"""Pixels of the longer side of a drawn picture."""
_GAP: Final = 12
_LINE: Final = 20
_TEXT: Final = 14
_PALE: Final[Colour] = (110, 110, 110)


class Sides(NamedTuple):
    """One picture three times, uint8 [H, W, 3] RGB of one size."""

    labelled: Picture
    champion: Picture
    challenger: Picture


def draw_sides(deciding: Deciding, files: Mapping[str, Path], side: int = _SIDE) -> Sides:
    """The picture with its labels, with the champion's answer and with the challenger's; its longer side has
    `side` pixels. `files`: where pictures are, by name. Raises PictureError.
    """
    pixels = read_picture(files[deciding.picture])
    zoom = side / max(pixels.shape[:2])
    height, width = (max(1, round(edge * zoom)) for edge in pixels.shape[:2])
    sized = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    told = (
        _labelled(deciding),
        *((each.found, each.labels) for each in (deciding.champion, deciding.challenger)),
    )
    return Sides(*(draw(sized, _scaled(found, zoom), labels, keep_size=True) for found, labels in told))


def _labelled(deciding: Deciding) -> tuple[Detections, tuple[str, ...]]:
    """The labelled faces as detections, and their labels; those of ANY_CLASS have one of their own."""
    truth, labels = deciding.truth, deciding.labels
    class_ids = np.where(truth.class_ids == ANY_CLASS, len(labels), truth.class_ids)
    return Detections(truth.boxes, np.ones(len(truth), np.float32), class_ids), (*labels, "ignored")


def draw_deciding(pictures: Sequence[Deciding], files: Mapping[str, Path], target: Path) -> None:
    """Write a PNG with a row for each picture. Raises PictureError."""
    rows = [draw_sides(each, files) for each in pictures]
    heights = [row.labelled.shape[0] + 3 * _LINE + _GAP for row in rows]
    width = 3 * _SIDE + 4 * _GAP
    sheet = Image.new("RGB", (width, max(sum(heights) + _GAP, 1)), PAPER)
    top = _GAP
    for each, row, height in zip(pictures, rows, heights, strict=True):
        _draw_row(sheet, each, row, top)
        top += height
    with staged_file(target) as aside:
        sheet.save(aside, format="png")


def _draw_row(sheet: Image.Image, deciding: Deciding, row: Sides, top: int) -> None:
    canvas = ImageDraw.Draw(sheet)
    texts = (
        ("labelled", deciding.picture),
        ("champion", _mistakes(deciding.champion)),
        ("challenger", _mistakes(deciding.challenger)),
    )
    for number, (pixels, lines) in enumerate(zip(row, texts, strict=True)):
        left = _GAP + number * (_SIDE + _GAP)
        for place, (text, colour) in enumerate(zip(lines, (INK, _PALE), strict=True)):
            write_within(canvas, (left, top + place * _LINE), text, colour, size=_TEXT, width=_SIDE)
        sheet.paste(Image.fromarray(pixels), (left, top + 2 * _LINE))


def _mistakes(answer: Answer) -> str:
    return f"missed {answer.missed}, bare passed {answer.bare_passed}, false alarms {answer.false_alarms}"


def _scaled(found: Detections, zoom: float) -> Detections:
    return Detections(found.boxes * np.float32(zoom), found.scores, found.class_ids)
