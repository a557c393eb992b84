"""How bright a picture is."""

from __future__ import annotations

import numpy as np

from maskdet.types import Picture

LUMA = np.array([0.299, 0.587, 0.114], np.float64)
"""Weights of red, green and blue, ITU-R BT.601."""


def mean_luma(picture: Picture) -> float:
    """Mean of ITU-R BT.601's luma over the picture, 0..255."""
    height, width = picture.shape[:2]
    # Columns first: integers, contiguous in memory, so exact and fast.
    columns = picture.reshape(height, -1).sum(axis=0, dtype=np.uint32)
    sums = columns.reshape(width, -1).sum(axis=0, dtype=np.uint64)
    return float(sums / (height * width) @ LUMA)
