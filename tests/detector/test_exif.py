from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from maskdet.detector.exif import read_orientation


def block(turn: int, order: str = "<", tag: int = 0x0112, kind: int = 3) -> bytes:
    header = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(f"{order}HHIHH", 0x0110, 2, 1, 0x41, 0) + struct.pack(
        f"{order}HHIHH", tag, kind, 1, turn, 0
    )
    return header + struct.pack(f"{order}IH", 8, 2) + entries + bytes(4)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_every_orientation_in_both_byte_orders(turn: int, order: str, prefix: bytes) -> None:
    assert read_orientation(prefix + block(turn, order)) == turn


def test_pillows_blocks_are_read() -> None:
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    exif[0x0112] = 7
    assert read_orientation(exif.tobytes()) == 7


@pytest.mark.parametrize(
    "data", [block(0), block(9), block(6, tag=0x0111), block(6, kind=2), b"", b"II*\0", block(6)[:30]]
)
def test_anything_else_is_upright(data: bytes) -> None:
    assert read_orientation(data) == 1


def test_random_blocks_do_no_harm() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        assert 1 <= read_orientation(b"II*\0" + rng.bytes(rng.integers(0, 60))) <= 8
