"""Captions of detections: their text, size, colour, and a place where they hide no face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from maskdet.detector.fonts import Font, find_font, find_latin
from maskdet.detector.outline import Colour
from maskdet.detector.placement import place, whole_pixels
from maskdet.types import Detections, IntArray

_COLOURS: Final[dict[str, Colour]] = {
    "with_mask": (22, 150, 64),
    "without_mask": (214, 39, 40),
    "mask_weared_incorrect": (255, 176, 0),
}
_PALETTE: Final[tuple[Colour, ...]] = (
    (31, 119, 180),
    (148, 73, 189),
    (0, 158, 158),
    (227, 93, 178),
    (140, 86, 75),
    (94, 100, 114),
)
_SMALLEST_TEXT: Final = 11
"""Pixels; smaller letters run together."""
_LARGEST_TEXT: Final = 1 / 60
"""As a share of the picture's longer side."""
_MOST_NAMED: Final = 8
"""Faces: repeating a name more often is noise, and a legend does it better."""
_MOST_OF_PICTURE: Final = 0.08
"""Share of the picture that captions may hide."""
_WORTH_IT: Final = 0.5
"""Share of the faces that must have room for a short caption; below it, captions are noise."""


@dataclass(frozen=True, slots=True)
class Plate:
    """The caption of detection `row` on its filled plate: its upper left corner (x, y) and its size (width,
    height) in pixels.
    """

    row: int
    text: str
    font: Font
    colour: Colour
    corner: tuple[int, int]
    size: tuple[int, int]
    padding: int

    @property
    def rectangle(self) -> tuple[int, int, int, int]:
        """x1, y1, x2, y2."""
        return (*self.corner, self.corner[0] + self.size[0], self.corner[1] + self.size[1])


@dataclass(frozen=True, slots=True)
class Captions:
    """The captions that have room. `named`: every face has one, and it names the class."""

    plates: tuple[Plate, ...]
    named: bool


def class_colour(labels: Sequence[str], class_id: int) -> Colour:
    """RGB of a class: fixed for the three of the mask task, from a palette by class id for others."""
    return _COLOURS.get(labels[class_id], _PALETTE[class_id % len(_PALETTE)])


def class_name(labels: Sequence[str], class_id: int, size: int) -> tuple[str, Font]:
    """A label, and a font of `size` pixels for it; its class number where this system has no font for it."""
    font = find_font(labels[class_id], size)
    # A number is better than a row of empty squares.
    return (labels[class_id], font) if font is not None else (f"class {class_id}", find_latin(size))


def place_captions(detections: Detections, labels: Sequence[str], picture_size: tuple[int, int]) -> Captions:
    """`label 0.93` beside every face if there is ample room for all, else `0.93` beside those that have room.

    The best scores choose first. No caption covers another's face or leaves the picture (height, width).
    """
    if len(detections) <= _MOST_NAMED:
        named = _placed(detections, labels, picture_size, named=True)
        if len(named) == len(detections) and _ample(named, picture_size):
            return Captions(tuple(named), named=True)
    short = _placed(detections, labels, picture_size, named=False)
    worth_it = len(short) >= _WORTH_IT * len(detections) and _ample(short, picture_size)
    return Captions(tuple(short) if worth_it else (), named=False)


def _ample(plates: Sequence[Plate], picture_size: tuple[int, int]) -> bool:
    """Whether there is ample room: captions hide what lies between the faces, including other people."""
    hidden = sum(plate.size[0] * plate.size[1] for plate in plates)
    return hidden <= _MOST_OF_PICTURE * picture_size[0] * picture_size[1]


def _placed(
    detections: Detections, labels: Sequence[str], picture_size: tuple[int, int], *, named: bool
) -> list[Plate]:
    plates: list[Plate] = []
    boxes = whole_pixels(detections.boxes)
    for row, box in enumerate(boxes):
        plate = _plate(detections, row, labels, _text_size(box, picture_size), named=named)
        taken = np.array([one.rectangle for one in plates], np.int64).reshape(-1, 4)
        kept_free = np.concatenate([np.delete(boxes, row, axis=0), taken])
        corner = place(plate.size, box, picture_size, kept_free)
        if corner is not None:
            plates.append(replace(plate, corner=corner))
        elif named:
            break
    return plates


def _plate(detections: Detections, row: int, labels: Sequence[str], size: int, *, named: bool) -> Plate:
    """A caption not yet placed."""
    class_id = int(detections.class_ids[row])
    name, font = class_name(labels, class_id, size)
    score = f"{detections.scores[row]:.2f}"
    text = f"{name} {score}" if named else score
    left, top, right, bottom = font.getbbox(text)
    padding = max(1, round((bottom - top) / 4))
    plate_size = (round(right - left) + 2 * padding, round(bottom - top) + 2 * padding)
    return Plate(row, text, font, class_colour(labels, class_id), (0, 0), plate_size, padding)


def _text_size(box: IntArray, picture_size: tuple[int, int]) -> int:
    largest = max(picture_size) * _LARGEST_TEXT
    by_box = float(box[2] - box[0]) / 5
    return max(_SMALLEST_TEXT, round(min(largest, max(by_box, 0.6 * largest))))
