"""From the network's raw boxes and scores to detections: thresholds, suppression, scaling."""

from __future__ import annotations

import cv2
import numpy as np

from maskdet.detector.settings import NmsSettings
from maskdet.types import BoolArray, Detections, FloatArray, IntArray

_ROWS_FOR_EACH = 4
"""Expected candidates per detection, including its suppressed neighbours."""


def to_detections(
    boxes: FloatArray,
    scores: FloatArray,
    *,
    picture_size: tuple[int, int],
    input_size: tuple[int, int],
    nms: NmsSettings,
) -> Detections:
    """Detections in one picture, best score first; ties are ordered by class id, then by anchor.

    boxes: [A, 4] xyxy in pixels of the network input; scores: [A, C]; sizes are (height, width).
    Suppression follows Paddle's `multiclass_nms3` with normalized boxes and no background class, except that
    a score equal to the threshold counts. Boxes are scaled to the picture and clipped to it; those outside
    or not finite are dropped.
    """
    anchors, class_ids = _candidates(scores, nms)
    finite = np.isfinite(boxes[anchors]).all(axis=1)
    anchors, class_ids = anchors[finite], class_ids[finite]
    if not len(anchors):
        return Detections.empty()
    best_first = np.argsort(-scores[anchors, class_ids], kind="stable")
    anchors, class_ids = anchors[best_first], class_ids[best_first]
    kept = _first_kept(boxes[anchors], scores[anchors, class_ids], class_ids, nms)
    anchors, class_ids = anchors[kept], class_ids[kept]
    found = Detections(
        _scaled(boxes[anchors], picture_size, input_size), scores[anchors, class_ids], class_ids
    )
    inside: BoolArray = np.all(found.boxes[:, 2:] > found.boxes[:, :2], axis=1)
    return found.select(inside)


def _candidates(scores: FloatArray, nms: NmsSettings) -> tuple[IntArray, IntArray]:
    """Anchors and class ids of the scores that reach the threshold, class by class, at most top_k of each."""
    class_ids, anchors = np.nonzero(scores.transpose() >= nms.score_threshold)
    counts = np.bincount(class_ids, minlength=scores.shape[1])
    if counts.max(initial=0) <= nms.top_k:
        return anchors, class_ids
    rows = np.split(anchors, np.cumsum(counts)[:-1])
    best = [row[np.argsort(-scores[row, c], kind="stable")[: nms.top_k]] for c, row in enumerate(rows)]
    return np.concatenate(best), np.repeat(np.arange(len(best)), [len(row) for row in best])


def _first_kept(boxes: FloatArray, scores: FloatArray, class_ids: IntArray, nms: NmsSettings) -> IntArray:
    """The first `keep` rows that survive, of rows best first.

    A suppressed row suppresses nothing itself. So rows are processed in parts, each compared only with the
    survivors before it, and a crowd's poor candidates, which would cost most of the time, often not at all.
    """
    part = _ROWS_FOR_EACH * nms.keep
    kept = np.empty(0, np.int64)
    for start in range(0, len(boxes), part):
        rows = np.concatenate([kept, np.arange(start, min(start + part, len(boxes)))])
        kept = rows[suppress(boxes[rows], scores[rows], class_ids[rows], nms.iou_threshold)]
        if len(kept) >= nms.keep:
            break
    return kept[: nms.keep]


def suppress(boxes: FloatArray, scores: FloatArray, class_ids: IntArray, iou_threshold: float) -> IntArray:
    """Rows that survive, in the order given, which is best first. Classes are handled separately."""
    xywh = boxes - np.tile(
        boxes[:, :2].min(axis=0), 2
    )  # OpenCV keeps classes apart only if no box is negative
    xywh[:, 2:] -= xywh[:, :2]
    # OpenCV's stubs want lists; arrays work as well, and many times faster.
    kept = cv2.dnn.NMSBoxesBatched(xywh, scores, class_ids, 0.0, iou_threshold)  # type: ignore[arg-type]
    return np.sort(np.asarray(kept, np.int64))


def _scaled(boxes: FloatArray, picture_size: tuple[int, int], input_size: tuple[int, int]) -> FloatArray:
    (height, width), (input_height, input_width) = picture_size, input_size
    factors = np.array([width / input_width, height / input_height] * 2, np.float32)
    limits = np.array([width, height] * 2, np.float32)
    return np.clip(boxes * factors, np.float32(0), limits)
