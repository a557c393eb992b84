"""Data of a val picture other than its faces, and the size of a face for the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskdet.types import FloatArray, Picture

_LUMA = np.array([0.299, 0.587, 0.114], np.float64)


@dataclass(frozen=True, slots=True)
class View:
    """One picture. `path` is relative to the data root, `size` (height, width) in pixels after its EXIF turn,
    `luma` its mean brightness, 0..255.
    """

    path: str
    size: tuple[int, int]
    luma: float


def mean_luma(picture: Picture) -> float:
    """Mean of ITU-R BT.601's luma over the picture, 0..255."""
    height, width = picture.shape[:2]
    # Columns first: integers, contiguous in memory, so exact and fast.
    columns = picture.reshape(height, -1).sum(axis=0, dtype=np.uint32)
    sums = columns.reshape(width, -1).sum(axis=0, dtype=np.uint64)
    return float(sums / (height * width) @ _LUMA)


def network_widths(boxes: FloatArray, view: View, input_size: tuple[int, int]) -> FloatArray:
    """Widths [N] in pixels of boxes [N, 4] after the resize to the network input (height, width)."""
    widths: FloatArray = (boxes[:, 2] - boxes[:, 0]) * np.float32(input_size[1] / view.size[1])
    return widths
