"""The confusion matrix: for each labelled face the model's answer, including background."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskdet.detector.answer import answer
from maskdet.detector.iou import INCLUSIVE, pairwise_iou
from maskdet.evaluation.matching import UNMATCHED, match_coco
from maskdet.evaluation.ranking import Scene
from maskdet.types import FloatArray, IntArray

IOU = 0.5


def confusion_matrix(scenes: Sequence[Scene], thresholds: FloatArray) -> IntArray:
    """Counts [C + 1, C + 1]: row = class of the truth, column = class of the detection, last = background.

    Only the answer at the thresholds ([C]) counts, each face once, best score first. Each detection takes the
    most overlapping unclaimed face of any class; other detections are false alarms (last row), unclaimed
    faces are misses (last column). Difficult faces, and detections on them, are left out.
    """
    background = len(thresholds)
    counts = np.zeros((background + 1, background + 1), np.int64)
    for scene in scenes:
        np.add.at(counts, _cells(scene, thresholds, background), 1)
    return counts


def _cells(scene: Scene, thresholds: FloatArray, background: int) -> tuple[IntArray, IntArray]:
    truth, found = scene[0], answer(scene[1], thresholds)
    overlaps = pairwise_iou(found.boxes, truth.boxes, INCLUSIVE)
    claims = match_coco(overlaps, truth.difficult, np.array([IOU]))[0]
    matched = claims != UNMATCHED
    missed = ~truth.difficult
    missed[claims[matched]] = False
    labelled = np.full(len(found), background, np.int64)
    labelled[matched] = truth.class_ids[claims[matched]]
    counted = np.ones(len(found), np.bool_)
    counted[matched] = ~truth.difficult[claims[matched]]
    rows = np.concatenate([labelled[counted], truth.class_ids[missed]])
    columns = np.concatenate([found.class_ids[counted], np.full(missed.sum(), background, np.int64)])
    return rows, columns
