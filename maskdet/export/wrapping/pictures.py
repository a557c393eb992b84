"""The pictures of a proof: the user's own, or drawn ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from maskdet.detector.picture import SUFFIXES, read_picture
from maskdet.errors import UsageError
from maskdet.types import Picture

MOST: Final = 20
"""Of a folder; the first by name."""
_SIZES: Final = ((240, 320), (333, 217), (96, 128), (480, 480))


def proof_pictures(named: Path | None) -> list[Picture]:
    """Those of a folder, or of one file, else drawn ones. Raises UsageError for none, PictureError."""
    if named is None:
        return drawn_pictures()
    paths = [named] if named.is_file() else _in_folder(named)
    if not paths:
        raise UsageError(f"{named} holds no pictures", "name a folder of photographs with faces")
    return [read_picture(path) for path in paths]


def drawn_pictures() -> list[Picture]:
    """Blocks and noise in all shapes, always the same, and a black picture. They show no faces."""
    draw = np.random.default_rng(20)
    drawn: list[Picture] = [_blocks(draw, size) for size in _SIZES]
    return [*drawn, np.zeros((64, 64, 3), np.uint8)]


def _blocks(draw: np.random.Generator, size: Sequence[int]) -> Picture:
    height, width = size
    coarse = draw.integers(0, 256, (8, 8, 3))
    rows, columns = np.arange(height) * 8 // height, np.arange(width) * 8 // width
    noise = draw.integers(-20, 21, (height, width, 3))
    drawn: Picture = np.clip(coarse[rows][:, columns] + noise, 0, 255).astype(np.uint8)
    return drawn


def _in_folder(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*")) if path.suffix.lower() in SUFFIXES][:MOST]
