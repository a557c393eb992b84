"""Overlap of boxes: intersection over union, plain or with VOC's inclusive pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskdet.types import FloatArray

Overlaps = NDArray[np.float64]
"""IoU of each box of one set with each box of another: float64 [N, M] in 0..1."""

PLAIN = 0.0
INCLUSIVE = 1.0
"""VOC includes the last pixel: a box from 3 to 3 is one pixel wide (devkit `VOCevaldet.m`, "+1" sides)."""


def pairwise_iou(first: FloatArray, second: FloatArray, offset: float = PLAIN) -> Overlaps:
    """IoU of every box of `first` [N, 4] with every box of `second` [M, 4], xyxy in pixels.

    `offset` is added to each side. Boxes that share no area before it is added do not overlap: this
    is how PaddleDetection's `jaccard_overlap` interprets VOC, and it differs from the devkit only for
    boxes of a pixel or two.
    """
    one, two = first.astype(np.float64)[:, None, :], second.astype(np.float64)[None, :, :]
    sides = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    shared = np.where((sides > 0).all(axis=-1), (sides + offset).prod(axis=-1), 0.0)
    union = _areas(one, offset) + _areas(two, offset) - shared
    overlaps: Overlaps = np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0)
    return overlaps


def _areas(boxes: Overlaps, offset: float) -> Overlaps:
    areas: Overlaps = (boxes[..., 2:] - boxes[..., :2] + offset).prod(axis=-1)
    return areas
