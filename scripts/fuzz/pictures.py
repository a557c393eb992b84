"""Pictures to damage: one of each format, and some that claim to be enormous."""

from __future__ import annotations

import binascii
import struct
import zlib

import cv2
import numpy as np


def sample_pictures() -> list[bytes]:
    """One small picture in each format, and some that claim to be enormous."""
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    suffixes = (".jpg", ".png", ".bmp", ".webp", ".tif", ".gif")
    files = [cv2.imencode(suffix, pixels)[1].tobytes() for suffix in suffixes]
    return [
        *files,
        png_bomb(20_000, 20_000),
        png_bomb(2**31 - 1, 1),
        jpeg_of(files[0], 65_500, 65_500),
        b"",
        b"text",
    ]


def png_bomb(width: int, height: int) -> bytes:
    """A PNG whose header claims more pixels than it contains."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", binascii.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def jpeg_of(data: bytes, width: int, height: int) -> bytes:
    """The JPEG with another size in its frame header."""
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]
