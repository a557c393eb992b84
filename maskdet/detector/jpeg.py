"""The layout of a JPEG, read from its markers: the size it claims, its EXIF block, whether it is complete.

OpenCV decodes a truncated JPEG without complaint (before 5.0) and allocates what the header claims, so both
are checked first. Markers: ITU-T T.81, annex B.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SIGNATURE = b"\xff\xd8\xff"

_EOI = b"\xff\xd9"
_AFTER_SCAN = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
"""A marker that ends the data of a scan: no escaped byte, no restart and no fill byte."""
_SOS = 0xDA
_APP1 = 0xE1
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


@dataclass(frozen=True, slots=True)
class JpegLayout:
    """What precedes the first scan, and whether an end marker follows it."""

    size: tuple[int, int]
    """Height and width of the frame before any EXIF turn."""
    exif: bytes
    """The first EXIF block, empty if there is none."""
    scans: int
    """Starts of scans; a progressive picture has about ten. Each is a pass over all pixels."""
    complete: bool
    """Whether there is an end marker after the start of the first scan."""


def read_layout(data: bytes) -> JpegLayout | None:
    """Walk the markers up to the first scan; None if they are not those of a picture."""
    size, exif, place = None, b"", 2
    while (marker := _next_marker(data, place)) is not None:
        code, place = marker
        if code in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(data[place : place + 2], "big")
        if length < 2:
            return None
        if code in _START_OF_FRAME:
            size = _frame_size(data, place)
        elif code == _APP1 and data.startswith(b"Exif\0\0", place + 2):
            exif = exif or data[place + 2 : place + length]
        elif code == _SOS:
            # Thumbnails inside the header have their own markers, so the search starts here.
            scans, complete = _scans(data, place + length), data.find(_EOI, place + length) >= 0
            return JpegLayout(size, exif, scans, complete) if size else None
        place += length
    return None


def _scans(data: bytes, place: int) -> int:
    """How many there are; the data of the first begins at `place`. What phones append is not searched."""
    scans = 1
    while (found := _AFTER_SCAN.search(data, place)) is not None and found[0] != _EOI:
        scans += found[0][1] == _SOS
        place = found.end() + max(2, int.from_bytes(data[found.end() : found.end() + 2], "big"))
    return scans


def _next_marker(data: bytes, place: int) -> tuple[int, int] | None:
    """The code of the next marker and the offset after it, skipping fill bytes as libjpeg does."""
    while (place := data.find(b"\xff", place)) >= 0:
        while place < len(data) and data[place] == 0xFF:
            place += 1
        if place >= len(data):
            return None
        if data[place]:
            return data[place], place + 1
    return None


def _frame_size(data: bytes, place: int) -> tuple[int, int]:
    # Length (2), precision (1), then height and width.
    return int.from_bytes(data[place + 3 : place + 5], "big"), int.from_bytes(
        data[place + 5 : place + 7], "big"
    )
