"""Whether a video file is shorter than its container says: FFmpeg reads what is left and says nothing."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final

_BOX: Final = struct.Struct(">I4sQ")
"""A box's length, its kind, and its length again if the first is 1."""
_WITH_FRAMES: Final = (b"mdat", b"moof")
_LEAST_BOX: Final = 8
"""0 means that the box goes to the end of the file, whatever that is."""
_CHUNK: Final = struct.Struct("<4sI")
_EBML: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT: Final = b"\x18\x53\x80\x67"


def is_cut_off(path: Path) -> bool:
    """For MP4 and MOV, AVI, Matroska and WebM; others do not tell."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(12)
        if start[4:8] == b"ftyp":
            return _boxes_cut_off(stream, size)
        if start[:4] == b"RIFF" and start[8:] == b"AVI ":
            return _riff_cut_off(stream, size)
        return start[:4] == _EBML and _segment_cut_off(stream, size)


def _boxes_cut_off(stream: BinaryIO, size: int) -> bool:
    """ISO/IEC 14496-12, 4.2. What some cameras append to their files is no box of frames."""
    place, kind = 0, b""
    while size - place >= _BOX.size:
        stream.seek(place)
        length, kind, large = _BOX.unpack(stream.read(_BOX.size))
        length = large if length == 1 else length
        if length < _LEAST_BOX:
            return False
        place += length
    return place > size and kind in _WITH_FRAMES


def _riff_cut_off(stream: BinaryIO, size: int) -> bool:
    """Large files have several chunks RIFF. A recorder that was switched off leaves the length 0: unknown."""
    place = 0
    while size - place >= _CHUNK.size:
        stream.seek(place)
        kind, length = _CHUNK.unpack(stream.read(_CHUNK.size))
        if kind != b"RIFF" or not length:
            return False
        place += _CHUNK.size + length
    return place > size


def _segment_cut_off(stream: BinaryIO, size: int) -> bool:
    """RFC 8794: a header, then the segment with everything else. Live recordings do not know its length."""
    stream.seek(len(_EBML))
    header = _length(stream)
    if header is None:
        return False
    stream.seek(header, 1)
    if stream.read(len(_SEGMENT)) != _SEGMENT:
        return False
    length = _length(stream)
    return length is not None and stream.tell() + length > size


def _length(stream: BinaryIO) -> int | None:
    """A length of variable size; None for one that is unknown: all its bits are set."""
    first = stream.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(first + stream.read(more), "big")
    bits = 7 * (more + 1)
    value &= (1 << bits) - 1
    return None if value == (1 << bits) - 1 else value
