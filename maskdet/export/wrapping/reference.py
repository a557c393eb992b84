"""PaddleDetection's documented steps around an exported PicoDet, as its deploy scripts take them.

`deploy/third_engine/onnx` for graphs with NMS inside, `deploy/python/picodet_postprocess.py` for raw heads,
and the operator `multiclass_nms3` for graphs without NMS.
"""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detector.settings import Interpolation
from maskdet.export.wrapping.decoding import anchors_of
from maskdet.export.wrapping.forms import Form
from maskdet.export.wrapping.infer_config import InferConfig, Suppression
from maskdet.export.wrapping.original import Original
from maskdet.types import BoolArray, Detections, FloatArray, IntArray, Picture

_CANDIDATES = 200
"""Of a class, best first, that `hard_nms` looks at."""
_EPSILON = 1e-5
"""`hard_nms` adds it to the union."""


def prepared(picture: Picture, config: InferConfig) -> tuple[FloatArray, FloatArray]:
    """The image float32 [1, 3, H, W] and its scale_factor [1, 2] (y, x)."""
    height, width = config.input_size
    scale = np.array([height / picture.shape[0], width / picture.shape[1]])
    flag = get_args(Interpolation).index(config.interpolation)
    image = cv2.resize(picture, (width, height), interpolation=flag).astype(np.float32)
    image = (image / np.float32(255) - np.array(config.mean, np.float32)) / np.array(config.std, np.float32)
    return np.ascontiguousarray(image.transpose(2, 0, 1))[None], scale.astype(np.float32)[None]


def detections(original: Original, picture: Picture, config: InferConfig) -> Detections:
    """What PaddleDetection finds, boxes clipped to the picture; those outside it are left out."""
    image, scale = prepared(picture, config)
    if original.export.form is Form.NMS:
        found = _of_rows(original.rows(image, scale))
    else:
        boxes, scores = before_nms(original, image, config)
        found = (_suppressed if original.export.form is Form.BOXES else _hard)(boxes, scores, config.nms)
        found = Detections(found.boxes / np.tile(scale[0][::-1], 2), found.scores, found.class_ids)
    height, width = picture.shape[:2]
    boxes = np.clip(found.boxes, 0, np.array([width, height] * 2, np.float32))
    inside: BoolArray = np.all(boxes[:, 2:] > boxes[:, :2], axis=1)
    return Detections(boxes, found.scores, found.class_ids).select(inside)


def before_nms(original: Original, image: FloatArray, config: InferConfig) -> tuple[FloatArray, FloatArray]:
    """Boxes [A, 4] in pixels of the input and scores [A, C] of one image."""
    outputs = original.tensors(image)
    if original.export.form is not Form.HEADS:
        return outputs[0][0], outputs[1][0].T
    levels = len(outputs) // 2
    scores = np.concatenate([level[0] for level in outputs[:levels]])
    logits = np.concatenate([level[0] for level in outputs[levels:]]).astype(np.float64)
    sides = logits.reshape(len(logits), 4, -1)
    shares = np.exp(sides - sides.max(axis=2, keepdims=True))
    means = (shares / shares.sum(axis=2, keepdims=True)) @ np.arange(sides.shape[2])
    centres, strides = anchors_of(config)
    boxes = np.tile(centres, 2) + means * strides * np.array([-1, -1, 1, 1])
    return boxes.astype(np.float32), scores


def _of_rows(rows: FloatArray) -> Detections:
    """Rows [class, score, x1, y1, x2, y2]; Paddle fills an empty result with a row of class -1."""
    kept = rows[rows[:, 0] >= 0]
    return Detections(kept[:, 2:], kept[:, 1], kept[:, 0].astype(np.int64))


def _suppressed(boxes: FloatArray, scores: FloatArray, nms: Suppression) -> Detections:
    """`multiclass_nms3` with normalized boxes and no background class."""
    picked = [
        _picked(boxes, scores[:, number], nms, nms.top_k, keep=len(boxes), epsilon=0.0)
        for number in range(scores.shape[1])
    ]
    found = _gathered(boxes, scores, picked)
    return found.select(np.argsort(-found.scores, kind="stable")[: nms.keep])


def _hard(boxes: FloatArray, scores: FloatArray, nms: Suppression) -> Detections:
    """`PicoDetPostProcess`, whose limits apply to each class."""
    picked = [
        _picked(boxes, scores[:, number], nms, _CANDIDATES, keep=nms.keep, epsilon=_EPSILON)
        for number in range(scores.shape[1])
    ]
    return _gathered(boxes, scores, picked)


def _picked(
    boxes: FloatArray, scores: FloatArray, nms: Suppression, most: int, *, keep: int, epsilon: float
) -> list[int]:
    left = np.argsort(-scores, kind="stable")[: int((scores > nms.score_threshold).sum())][:most]
    picked: list[int] = []
    while len(left) and len(picked) < keep:
        best, left = left[0], left[1:]
        picked.append(int(best))
        left = left[_overlap(boxes[left], boxes[best], epsilon) <= nms.iou_threshold]
    return picked


def _overlap(some: FloatArray, other: FloatArray, epsilon: float) -> NDArray[np.float64]:
    sides = np.minimum(some[:, 2:], other[2:]) - np.maximum(some[:, :2], other[:2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    areas = np.clip(some[:, 2:] - some[:, :2], 0, None).prod(axis=1)
    union = areas + np.clip(other[2:] - other[:2], 0, None).prod() - shared + epsilon
    overlap: NDArray[np.float64] = shared / np.maximum(union, 1e-12)
    return overlap


def _gathered(boxes: FloatArray, scores: FloatArray, picked: list[list[int]]) -> Detections:
    anchors: IntArray = np.array([row for rows in picked for row in rows], np.int64)
    class_ids = np.repeat(np.arange(len(picked)), [len(rows) for rows in picked])
    return Detections(boxes[anchors], scores[anchors, class_ids], class_ids)
