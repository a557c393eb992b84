"""How well the boxes of the right answers fit their faces."""

from __future__ import annotations

import numpy as np

from maskdet.detector.iou import pairwise_iou
from maskdet.evaluation.metrics.metric import Judged, Metric
from maskdet.evaluation.pool import NO_FACE


def _mean_overlap(judged: Judged) -> float | None:
    pool = judged.pool
    rows = np.flatnonzero(judged.answered & (pool.own != NO_FACE))
    rows = rows[pool.face_counts[pool.own[rows]]]
    pairs = zip(pool.found.boxes[rows, None], judged.boxes[pool.own[rows], None], strict=True)
    overlaps = [float(pairwise_iou(found, face)[0, 0]) for found, face in pairs]
    return float(np.mean(overlaps)) if overlaps else None


METRIC = Metric(
    name="localisation",
    meaning="mean IoU of the right answers with their faces",
    measure=_mean_overlap,
)
