"""The one EXIF tag that decoding needs, read without warnings or errors, whatever the block holds."""

from __future__ import annotations

from typing import Final, Literal

UPRIGHT: Final = 1
"""The orientation of a picture that is stored upright."""

_TRANSPOSED = 5
_PREFIX = b"Exif\0\0"
_ORIENTATION = 0x0112
_SHORT = 3
_ENTRY = 12
_BYTE_ORDERS: Final[dict[bytes, Literal["little", "big"]]] = {b"II*\0": "little", b"MM\0*": "big"}


def swaps_axes(orientation: int) -> bool:
    """Whether the upright picture is as wide as the stored one is high."""
    return orientation >= _TRANSPOSED


def read_orientation(block: bytes) -> int:
    """1..8 as EXIF 2.32 counts them (tag 274, first directory); 1 if the block has none or is damaged."""
    tiff = block.removeprefix(_PREFIX)
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return UPRIGHT
    start = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[start : start + 2], order)
    for place in range(start + 2, min(start + 2 + count * _ENTRY, len(tiff) - _ENTRY + 1), _ENTRY):
        tag, kind = (int.from_bytes(tiff[at : at + 2], order) for at in (place, place + 2))
        if tag == _ORIENTATION:
            turn = int.from_bytes(tiff[place + 8 : place + 10], order)
            return turn if kind == _SHORT and 1 <= turn <= 8 else UPRIGHT
    return UPRIGHT
