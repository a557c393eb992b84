"""The part of a picture around a suspected label, small enough to lie in a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2

from maskdet.types import Box, Picture

_SURROUND: Final = 3.0
"""Sides of the boxes together that the crop shows: enough to see whose face it is."""
_LEAST_SIDE: Final = 96.0
"""Pixels of the picture."""
_MOST_SIDE: Final = 480
"""Pixels of the crop."""
_QUALITY: Final = 82


@dataclass(frozen=True, slots=True)
class Crop:
    """`jpeg` shows the area (x1, y1, x2, y2) of the picture, in whole pixels."""

    jpeg: bytes
    area: tuple[int, int, int, int]


def crop_around(picture: Picture, boxes: Sequence[Box]) -> Crop:
    """A square around the boxes, as far as the picture reaches."""
    area = _area(boxes, (picture.shape[0], picture.shape[1]))
    x1, y1, x2, y2 = area
    part = cv2.cvtColor(picture[y1:y2, x1:x2], cv2.COLOR_RGB2BGR)
    scale = _MOST_SIDE / max(part.shape[:2])
    if scale < 1:
        part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return Crop(data.tobytes(), area)


def _area(boxes: Sequence[Box], size: tuple[int, int]) -> tuple[int, int, int, int]:
    height, width = size
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    reach = max(_LEAST_SIDE, _SURROUND * max(right - left, bottom - top)) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    x1, y1 = max(0, round(x - reach)), max(0, round(y - reach))
    return x1, y1, max(x1 + 1, min(width, round(x + reach))), max(y1 + 1, min(height, round(y + reach)))
