"""The answer that people get: of all that NMS left, one label a face."""

from __future__ import annotations

from typing import Final

import numpy as np

from maskdet.detector.postprocess import suppress
from maskdet.types import Detections, FloatArray

SAME_FACE_IOU: Final = 0.5
"""Boxes that overlap by more than this are taken for one face."""
_LEAST_THRESHOLD: Final = np.float32(1e-6)


def answer(candidates: Detections, thresholds: FloatArray) -> Detections:
    """The candidates over their thresholds ([C] by class id), each face once; best score first.

    NMS keeps classes apart, so a face can be found as two of them. Of boxes that overlap by more than
    SAME_FACE_IOU the one whose `certainty` is highest stays.
    """
    sure = candidates.above(thresholds)
    if len(sure) < 2:
        return sure
    order = np.argsort(-certainty(sure, thresholds), kind="stable")
    # OpenCV drops what scores 0, so it gets places in the order instead.
    places = np.arange(len(sure), 0, -1, dtype=np.float32)
    kept = suppress(sure.boxes[order], places, np.zeros(len(sure), np.int64), SAME_FACE_IOU)
    return sure.select(np.sort(order[kept]))


def certainty(found: Detections, thresholds: FloatArray) -> FloatArray:
    """Score over the threshold of its class, [N].

    A threshold says how much evidence a class needs, so it also decides between classes: raising one makes
    its label rarer wherever two compete. With equal thresholds the higher score wins.
    """
    weights: FloatArray = found.scores / np.maximum(thresholds, _LEAST_THRESHOLD)[found.class_ids]
    return weights
