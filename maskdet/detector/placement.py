"""Where a caption goes so that it hides no face. All in pixels, rectangles as x1, y1, x2, y2."""

from __future__ import annotations

from typing import Final

import numpy as np

from maskdet.types import BoolArray, FloatArray, IntArray

_MOST_OF_OWN_FACE: Final = 0.08
"""Share of its own box that a caption may hide where there is no room beside it."""


def whole_pixels(boxes: FloatArray) -> IntArray:
    """[N, 4] the pixels that boxes touch: the upper left one, and the one past the lower right."""
    edges = np.concatenate([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1)
    pixels: IntArray = edges.astype(np.int64)
    return pixels


def place(
    size: tuple[int, int], box: IntArray, picture: tuple[int, int], kept_free: IntArray
) -> tuple[int, int] | None:
    """Upper left corner for the caption of the face in `box`; `size` (width, height); None without room.

    It lies inside the picture (height, width) and touches nothing in `kept_free` [M, 4]: other faces, and
    captions already placed. It is beside its own box, or hides little of it.
    """
    spots = _spots(size, box, picture)
    rectangles = np.concatenate([spots, spots + size], axis=1)
    inside = np.all(spots >= 0, axis=1) & np.all(rectangles[:, 2:] <= picture[::-1], axis=1)
    free = np.flatnonzero(inside & ~overlapping(rectangles, kept_free))
    return (int(spots[free[0], 0]), int(spots[free[0], 1])) if len(free) else None


def overlapping(some: IntArray, others: IntArray) -> BoolArray:
    """[N] whether each of `some` [N, 4] shares a pixel with any of `others` [M, 4]."""
    upper = np.maximum(some[:, None, :2], others[None, :, :2])
    lower = np.minimum(some[:, None, 2:], others[None, :, 2:])
    shared: BoolArray = np.any(np.all(upper < lower, axis=2), axis=1)
    return shared


def _spots(size: tuple[int, int], box: IntArray, picture: tuple[int, int]) -> IntArray:
    """[K, 2] corners to try, best first: above the box, below it, beside it, and last inside."""
    wide, high = size
    x1, y1, x2, y2 = box.tolist()
    xs = [_limit(x, picture[1] - wide) for x in (x1, x2 - wide, (x1 + x2 - wide) // 2)]
    ys = [_limit(y, picture[0] - high) for y in (y1, y2 - high)]
    spots = [(x, y) for y in (y1 - high, y2) for x in xs] + [(x, y) for x in (x2, x1 - wide) for y in ys]
    if wide * high <= _MOST_OF_OWN_FACE * (x2 - x1) * (y2 - y1):
        spots += [(x, y) for y in ys for x in xs]
    return np.array(spots, np.int64)


def _limit(value: int, most: int) -> int:
    return max(0, min(value, most))
