"""Which detection claims which labelled face: VOC's rule and COCO's, over one class of one picture."""

from __future__ import annotations

import numpy as np

from maskdet.detector.iou import Overlaps
from maskdet.types import BoolArray, IntArray

UNMATCHED = -1


def match_voc(overlaps: Overlaps, difficult: BoolArray, threshold: float = 0.5) -> IntArray:
    """The truth that each detection claims, [D], or UNMATCHED; rows of `overlaps` [D, M] best score first.

    A detection goes only to the truth that it overlaps most: if a better-scored one has already claimed it,
    it is a duplicate and stays unmatched. Difficult truths [M] take any number.
    The overlap has to exceed `threshold`, as in PaddleDetection (the devkit lets it be equal).
    """
    if overlaps.shape[1] == 0:
        return np.full(len(overlaps), UNMATCHED, np.int64)
    best = overlaps.argmax(axis=1)
    close = overlaps.max(axis=1) > threshold
    first = np.zeros(len(overlaps), np.bool_)
    rows = np.flatnonzero(close)
    first[rows[np.unique(best[rows], return_index=True)[1]]] = True
    return np.where(close & (first | difficult[best]), best, UNMATCHED)


def match_coco(overlaps: Overlaps, ignored: BoolArray, thresholds: Overlaps) -> IntArray:
    """The truth that each detection claims at each IoU threshold, [T, D], or UNMATCHED.

    Rows of `overlaps` [D, M] are best score first. A detection takes the most overlapping truth that
    is still free and reaches the threshold; an ignored truth [M] only if no other is left. Of
    equal overlaps the later truth wins. The source is `COCOeval.evaluateImg` of pycocotools.
    """
    matched = np.full((len(thresholds), len(overlaps)), UNMATCHED, np.int64)
    if overlaps.size == 0:
        return matched
    free = np.ones((len(thresholds), overlaps.shape[1]), np.bool_)
    # An overlap is at most 1, so adding 2 ranks every truth that counts above the ignored ones.
    preference = overlaps + 2.0 * ~ignored
    near = overlaps >= thresholds.min()
    for row in np.flatnonzero(near.any(axis=1)):
        truths = np.flatnonzero(near[row])
        truths = truths[np.argsort(preference[row, truths], kind="stable")[::-1]]
        open_to = free[:, truths] & (overlaps[row, truths] >= thresholds[:, None])
        levels = np.flatnonzero(open_to.any(axis=1))
        chosen = truths[open_to[levels].argmax(axis=1)]
        matched[levels, row] = chosen
        free[levels, chosen] = False
    return matched
