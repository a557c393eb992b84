"""A corruption that covers a part of every face: a hand, drawn from one side."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.types import FloatArray, Picture

Tone = NDArray[np.float64]
"""RGB of a hand, [3]."""
_TONES: Final = ((241, 194, 150), (224, 172, 120), (164, 112, 76), (92, 62, 46))
"""RGB of skin."""
_FINGERS: Final = 4
_SHADE: Final = 0.82
"""Brightness of the gaps between fingers."""
_FINE: Final = 4
"""Fractional bits of drawn coordinates, so that hands on tiny faces have the right size."""


def covered(picture: Picture, boxes: FloatArray, share: float, rng: np.random.Generator) -> Picture:
    """A hand over `share` of the width of each of the boxes [N, 4], from the left or the right."""
    canvas = picture.copy()
    for box in boxes:
        tone = np.array(_TONES[rng.integers(len(_TONES))], np.float64)
        _draw(canvas, box, share, tone * rng.uniform(0.9, 1.05), from_left=bool(rng.random() < 0.5))
    return canvas


def _draw(canvas: Picture, box: FloatArray, share: float, tone: Tone, *, from_left: bool) -> None:
    """Fingers lie across the face, one below the other; the back of the hand is outside."""
    x1, y1, x2, y2 = box.tolist()
    width, high = x2 - x1, (y2 - y1) / (_FINGERS + 1)
    tip, wrist = (x1 + share * width, x1 - width / 4) if from_left else (x2 - share * width, x2 + width / 4)
    inward = high / 2 if from_left else -high / 2
    for finger in range(_FINGERS):
        middle = y1 + (finger + 1) * high
        ends = (wrist, middle), (tip - inward, middle)
        for thick, colour in ((high * 1.1, tone * _SHADE), (high * 0.95, tone)):
            _line(canvas, *ends, thick, colour)


def _line(
    canvas: Picture,
    start: tuple[float, float],
    end: tuple[float, float],
    thick: float,
    colour: Tone,
) -> None:
    (x1, y1), (x2, y2) = start, end
    shade = tuple(float(part) for part in np.clip(colour, 0, 255))
    body = np.array([[x1, y1 - thick / 2], [x2, y1 - thick / 2], [x2, y2 + thick / 2], [x1, y2 + thick / 2]])
    scaled = np.rint(body * 2**_FINE).astype(np.int32)
    cv2.fillPoly(canvas, [scaled], shade, cv2.LINE_AA, _FINE)
    tip = round(x2 * 2**_FINE), round(y2 * 2**_FINE)
    cv2.circle(canvas, tip, max(1, round(thick / 2 * 2**_FINE)), shade, cv2.FILLED, cv2.LINE_AA, _FINE)
