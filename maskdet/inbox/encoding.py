"""The bytes of a picture as the inbox keeps them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from maskdet.inbox.record import Suffix
from maskdet.types import Box, Picture

JPEG_QUALITY = 95
JPEG_SIDE = 65_500
"""libjpeg's limit, in pixels."""
BLUR_SHARE = 0.35
"""Standard deviation of the blur over the side of a face: no feature is left, but that a head is there."""
_MARGIN = 0.15
"""Of the box on each side: hair and chin go with the face."""

_SIGNATURES: tuple[tuple[bytes, Suffix], ...] = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"BM", ".bmp"),
)


def storable(data: bytes, pixels: Picture) -> tuple[bytes, Suffix]:
    """The bytes as sent if `prepare` reads their format, else a PNG; and the suffix."""
    for signature, ending in _SIGNATURES:
        if data.startswith(signature):
            return data, ending
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return data, ".webp"
    return _encoded(".png", pixels), ".png"


def bare_picture(pixels: Picture) -> bytes:
    """The pixels, upright, encoded afresh: no EXIF, GPS, comment, thumbnail or second picture survives."""
    if max(pixels.shape[:2]) > JPEG_SIDE:
        return _encoded(".png", pixels)
    return _encoded(".jpg", pixels, cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)


def blurred(pixels: Picture, boxes: Sequence[Box], spared: Sequence[Box]) -> Picture:
    """A copy in which the faces in `boxes` cannot be recognised; what lies in `spared` keeps its pixels."""
    done = pixels.copy()
    for box in boxes:
        x1, y1, x2, y2 = _widened(box, pixels.shape[1], pixels.shape[0])
        if x2 > x1 and y2 > y1:
            _blur(done[y1:y2, x1:x2])
    for box in spared:
        x1, y1, x2, y2 = (max(0, round(edge)) for edge in box)
        done[y1:y2, x1:x2] = pixels[y1:y2, x1:x2]
    return done


def _blur(part: Picture) -> None:
    """In place. Shrunk first: a wide blur of a large face would take long."""
    height, width = part.shape[:2]
    small = cv2.resize(part, (min(width, 16), min(height, 16)), interpolation=cv2.INTER_AREA)
    sigma = BLUR_SHARE * max(small.shape[:2])
    soft = cv2.GaussianBlur(small, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    part[:] = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)


def _widened(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = box
    across, down = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
    return (
        max(0, round(x1 - across)),
        max(0, round(y1 - down)),
        min(width, round(x2 + across)),
        min(height, round(y2 + down)),
    )


def _encoded(suffix: str, pixels: Picture, *options: int) -> bytes:
    bgr = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(suffix, bgr, options)
    return data.tobytes()
