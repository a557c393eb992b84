"""The final answer: of all candidates after NMS, one label per face.

The web page runs the same rule (`serving/web/js/rule.js`) when the user moves a threshold, so its arithmetic
is part of the contract: scores, thresholds and their quotients are float32, overlaps are float64. Both come
out identical to the last bit in JavaScript.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from maskdet.types import BoolArray, Detections, FloatArray, IntArray

SAME_FACE_IOU: Final = 0.5
"""Boxes that overlap by more than this count as one face."""
_LEAST_THRESHOLD: Final = np.float32(1e-6)


def answer(candidates: Detections, thresholds: FloatArray) -> Detections:
    """The candidates that reach their thresholds ([C] by class id), each face once; best score first.

    NMS keeps classes apart, so a face can be found as two of them. Of boxes that overlap by more than
    SAME_FACE_IOU the one whose `certainty` is highest stays.
    """
    sure = candidates.above(thresholds)
    if len(sure) < 2:
        return sure
    rivals = same_face(sure, sure)
    if not np.triu(rivals, k=1).any():
        return sure
    return sure.select(_most_certain(rivals, certainty(sure, thresholds)))


def certainty(found: Detections, thresholds: FloatArray) -> FloatArray:
    """Score over the threshold of its class, [N].

    A threshold states how much evidence a class needs, so it also decides between classes: raising one
    makes its label rarer wherever two compete. With equal thresholds the higher score wins.
    """
    weights: FloatArray = found.scores / np.maximum(thresholds, _LEAST_THRESHOLD)[found.class_ids]
    return weights


def same_face(some: Detections, others: Detections) -> BoolArray:
    """[N, M] whether the boxes of `some` [N] and `others` [M] count as one face."""
    one, two = some.boxes.astype(np.float64)[:, None], others.boxes.astype(np.float64)[None]
    sides = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    shared = np.maximum(sides, 0).prod(axis=-1)
    areas = (one[..., 2:] - one[..., :2]).prod(axis=-1) + (two[..., 2:] - two[..., :2]).prod(axis=-1)
    same: BoolArray = shared > SAME_FACE_IOU * (areas - shared)
    return same


def _most_certain(rivals: BoolArray, weights: FloatArray) -> IntArray:
    """Rows that stay, in order. A suppressed row suppresses nothing itself; of equals the first stays."""
    left = np.ones(len(weights), np.bool_)
    kept = np.zeros(len(weights), np.bool_)
    for row in np.argsort(-weights, kind="stable"):
        if left[row]:
            left &= ~rivals[row]
            kept[row] = True
    return np.flatnonzero(kept)
