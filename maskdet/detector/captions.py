"""Captions of detections: what they say, how large, in which colour, and where they cover least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from maskdet.detector.fonts import Font, find_font, find_latin
from maskdet.types import Detections, FloatArray

Colour = tuple[int, int, int]

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
"""Pixels; below it letters run together."""
_PLATE_WEIGHT: Final = 4.0
"""How much worse it is to hide a caption than a face's box, for the same area."""


@dataclass(frozen=True, slots=True)
class Plate:
    """A caption on its filled plate: (x, y) of the upper left corner, width and height, all in pixels."""

    text: str
    font: Font
    colour: Colour
    corner: tuple[int, int]
    size: tuple[int, int]
    padding: int


def class_colour(labels: Sequence[str], class_id: int) -> Colour:
    """RGB of a class: fixed for the three of the mask task, from a palette by class id for others."""
    return _COLOURS.get(labels[class_id], _PALETTE[class_id % len(_PALETTE)])


def place_captions(
    detections: Detections, labels: Sequence[str], picture_size: tuple[int, int]
) -> list[Plate]:
    """One plate a detection, in order; the best choose first. Each lies inside the picture if it fits."""
    plates: list[Plate] = []
    taken = np.zeros((len(detections), 4), np.float32)
    for row in range(len(detections)):
        text, font = _caption(detections, row, labels, picture_size)
        left, top, right, bottom = font.getbbox(text)
        padding = max(1, round((bottom - top) / 4))
        size = (round(right - left) + 2 * padding, round(bottom - top) + 2 * padding)
        corner = _place(size, detections.boxes[row], picture_size, detections.boxes, taken[:row])
        taken[row] = (*corner, corner[0] + size[0], corner[1] + size[1])
        colour = class_colour(labels, int(detections.class_ids[row]))
        plates.append(Plate(text, font, colour, corner, size, padding))
    return plates


def _caption(
    detections: Detections, row: int, labels: Sequence[str], picture_size: tuple[int, int]
) -> tuple[str, Font]:
    class_id, score = int(detections.class_ids[row]), float(detections.scores[row])
    size = _text_size(detections.boxes[row], picture_size)
    text = f"{labels[class_id]} {score:.2f}"
    font = find_font(text, size)
    if font is not None:
        return text, font
    # Better a number than a row of empty squares, where the system has no font for the label.
    plain = f"class {class_id} {score:.2f}"
    return plain, find_latin(size)


def _text_size(box: FloatArray, picture_size: tuple[int, int]) -> int:
    by_picture = max(picture_size) / 45
    by_box = float(box[2] - box[0]) / 5
    return max(_SMALLEST_TEXT, round(min(by_picture, max(by_box, by_picture / 2))))


def _place(
    size: tuple[int, int],
    box: FloatArray,
    picture_size: tuple[int, int],
    boxes: FloatArray,
    plates: FloatArray,
) -> tuple[int, int]:
    """Above the box, below it or inside: the first place that covers least of `boxes` and `plates`."""
    wide, high = size
    x1, y1, x2, y2 = (round(edge) for edge in box.tolist())
    wanted = [(x, y) for y in (y1 - high, y2, y1) for x in (x1, x2 - wide)]
    room = np.maximum(np.array(picture_size[::-1]) - size, 0)
    corners = np.clip(np.array(wanted), 0, room)
    rectangles = np.concatenate([corners, corners + size], axis=1).astype(np.float32)
    cost = _overlap(rectangles, boxes) + _PLATE_WEIGHT * _overlap(rectangles, plates)
    x, y = corners[np.argmin(cost)].tolist()
    return x, y


def _overlap(rectangles: FloatArray, others: FloatArray) -> FloatArray:
    """[K] area in pixels that each of rectangles [K, 4] shares with all of others [M, 4]."""
    upper = np.maximum(rectangles[:, None, :2], others[None, :, :2])
    lower = np.minimum(rectangles[:, None, 2:], others[None, :, 2:])
    area: FloatArray = np.clip(lower - upper, 0, None).prod(axis=2).sum(axis=1)
    return area
