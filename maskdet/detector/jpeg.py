"""The layout of a JPEG, read by its markers: the size it claims, and whether its end is there.

OpenCV decodes a cut JPEG without complaint (before 5.0) and believes its own header reader only, so both
are looked at first. Markers: ITU-T T.81, annex B.
"""

from __future__ import annotations

from dataclasses import dataclass

_SOI = b"\xff\xd8"
_EOI = b"\xff\xd9"
_SOS = 0xDA
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


@dataclass(frozen=True, slots=True)
class JpegLayout:
    """`size`: (height, width) of the frame before any EXIF turn; `complete`: an end marker follows."""

    size: tuple[int, int]
    complete: bool


def read_layout(data: bytes) -> JpegLayout | None:
    """Walk the markers up to the first scan; None if they make no picture."""
    if not data.startswith(_SOI):
        return None
    size, place = None, len(_SOI)
    while (marker := _next_marker(data, place)) is not None:
        code, place = marker
        if code in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(data[place : place + 2], "big")
        if length < 2:
            return None
        if code in _START_OF_FRAME:
            size = _frame_size(data, place)
        elif code == _SOS:
            # Thumbnails inside the header have an end marker of their own, so the search starts here.
            return JpegLayout(size, data.find(_EOI, place + length) >= 0) if size else None
        place += length
    return None


def _next_marker(data: bytes, place: int) -> tuple[int, int] | None:
    """The code of the next marker and the offset after it, over any fill bytes, as libjpeg reads them."""
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
