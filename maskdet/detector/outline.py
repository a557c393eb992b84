"""The outline of a box: in its class's colour, and a line pattern that tells classes apart without colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskdet.types import IntArray, Picture

Colour = tuple[int, int, int]

DASHES: Final[tuple[tuple[float, ...], ...]] = ((), (3.0, 2.0), (1.5, 1.5), (5.0, 1.5, 1.5, 1.5))
"""By class id: alternating lengths of dash and gap, in line widths. An empty one is a solid line."""
_WIDEST: Final = 1 / 400
"""Line width as a share of the picture's longer side."""
_OF_THE_FACE: Final = 1 / 14
"""Largest share of a face's shorter side that the line takes on each side."""


@dataclass(frozen=True, slots=True)
class Line:
    """How the boxes of a class are drawn. `gap` fills the gaps of the pattern: visible on any background."""

    colour: Colour
    gap: Colour
    dash: tuple[float, ...]


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever contrasts more with a colour (relative luminance of WCAG 2.2)."""
    channels = np.array(colour) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    light = float(linear @ (0.2126, 0.7152, 0.0722))
    return (255, 255, 255) if 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 else (0, 0, 0)


def class_line(colour: Colour, class_id: int) -> Line:
    """The line of a class of that colour."""
    return Line(colour, ink_on(colour), DASHES[class_id % len(DASHES)])


def line_width(box: IntArray, picture: tuple[int, int]) -> int:
    """Pixels: thinner for small faces, so that the line leaves them visible."""
    side = int((box[2:] - box[:2]).min())
    return max(1, round(min(max(picture) * _WIDEST, side * _OF_THE_FACE)))


def draw_outline(picture: Picture, box: IntArray, line: Line, width: int) -> None:
    """Draw into the picture, along the inner side of the box's edge."""
    height, across = picture.shape[:2]
    x1, y1 = np.clip(box[:2], 0, (across - 1, height - 1)).tolist()
    x2, y2 = np.clip(box[2:], (x1 + 1, y1 + 1), (across, height)).tolist()
    level, upright = _tape(x2 - x1, line, width), _tape(y2 - y1, line, width)[:, None]
    picture[y1 : y1 + width, x1:x2] = level
    picture[max(y1, y2 - width) : y2, x1:x2] = level
    picture[y1:y2, x1 : x1 + width] = upright
    picture[y1:y2, max(x1, x2 - width) : x2] = upright


def _tape(length: int, line: Line, width: int) -> NDArray[np.uint8]:
    """[length, 3] one side of an outline. Both ends are dashes, so that corners are visible."""
    if not line.dash:
        return np.full((length, 3), line.colour, np.uint8)
    ends = np.cumsum(line.dash) * width
    at = np.searchsorted(ends, np.arange(length) % ends[-1], side="right")
    is_line = (at % 2 == 0) & (at < len(ends))
    is_line[-width:] = True
    return np.where(is_line[:, None], line.colour, line.gap).astype(np.uint8)
