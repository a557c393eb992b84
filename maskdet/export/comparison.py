"""Comparison of two outputs of one model: largest differences, and matched detections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.detector.iou import pairwise_iou
from maskdet.detector.postprocess import to_detections
from maskdet.detector.settings import NmsSettings
from maskdet.types import Detections, FloatArray, IntArray

Arrays = dict[str, NDArray[Any]]
_SAME_BOX_IOU = 0.98


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two ways to run one model. Differences are the largest over all pictures, boxes in network pixels.

    Scores are compared for every anchor, boxes for those that enter NMS (the box of an anchor with a zero
    score can be anywhere); if a graph returns only detections, the matched ones are compared.

    `matched` is the number of the counting `detections` of both sides with a partner on the other side: a
    detection of the same class with an IoU of 0.98 or more.
    """

    between: str
    batch_size: int
    score_difference: float
    box_difference: float
    matched: int
    detections: int


@dataclass(frozen=True, slots=True)
class RawOutputs:
    """A network's output before NMS: boxes [N, A, 4] xyxy in network pixels, scores [N, A, C]."""

    boxes: FloatArray
    scores: FloatArray

    @classmethod
    def of(cls, stored: Arrays, name: str) -> RawOutputs:
        return cls(stored[f"{name}_boxes"], stored[f"{name}_scores"])


@dataclass(frozen=True, slots=True)
class Judge:
    """Compares outputs for one input size (height, width); `counts` [C]: lowest score that counts."""

    input_size: tuple[int, int]
    counts: FloatArray

    def compare(self, between: str, batch_size: int, one: RawOutputs, other: RawOutputs) -> Comparison:
        matched, total, _ = self._match(self._detections(one), self._detections(other))
        enter = np.maximum(one.scores, other.scores).max(axis=-1) >= NmsSettings().score_threshold
        scores, boxes = largest(one.scores, other.scores), largest(one.boxes[enter], other.boxes[enter])
        return Comparison(between, batch_size, scores, boxes, matched, total)

    def compare_deployed(
        self, between: str, batch_size: int, trainer: RawOutputs, stored: Arrays
    ) -> Comparison:
        """The deployed graph returns only rows after NMS: differences are those of matched detections."""
        matched, total, pairs = self._match(self._detections(trainer), self._deployed(stored))
        scores = max((abs(float(a.scores[i] - b.scores[j])) for a, b, i, j in pairs), default=0.0)
        boxes = max((largest(a.boxes[i], b.boxes[j]) for a, b, i, j in pairs), default=0.0)
        return Comparison(between, batch_size, scores, boxes, matched, total)

    def _detections(self, outputs: RawOutputs) -> list[Detections]:
        size = self.input_size
        return [
            to_detections(boxes, scores, picture_size=size, input_size=size, nms=NmsSettings())
            for boxes, scores in zip(outputs.boxes, outputs.scores, strict=True)
        ]

    def _deployed(self, stored: Arrays) -> list[Detections]:
        """Rows [class, score, x1, y1, x2, y2] of all pictures, clipped like ours."""
        height, width = self.input_size
        rows, ends = stored["deploy_rows"], np.cumsum(stored["deploy_counts"])[:-1]
        limits = np.array([width, height, width, height], np.float32)
        return [
            Detections(np.clip(part[:, 2:], 0, limits), part[:, 1], part[:, 0].astype(np.int64))
            for part in np.split(rows, ends)
        ]

    def _match(self, ours: list[Detections], theirs: list[Detections]) -> tuple[int, int, list[_Pair]]:
        pairs: list[_Pair] = []
        total = 0
        for a, b in zip(ours, theirs, strict=True):
            for one, other in ((a, b), (b, a)):
                # Only one side must reach the score: a partner just below it still counts.
                counting = one.above(self.counts)
                total += len(counting)
                pairs += [(counting, other, i, j) for i, j in partners(counting, other)]
        return len(pairs), total, pairs


_Pair = tuple[Detections, Detections, int, int]


def partners(some: Detections, others: Detections) -> list[tuple[int, int]]:
    """For each of `some`, the best-overlapping other of its class, if it is the same box."""
    if not len(some) or not len(others):
        return []
    overlap = pairwise_iou(some.boxes, others.boxes)
    overlap[some.class_ids[:, None] != others.class_ids[None, :]] = 0
    best: IntArray = overlap.argmax(axis=1)
    return [(i, int(j)) for i, j in enumerate(best) if overlap[i, j] >= _SAME_BOX_IOU]


def largest(one: FloatArray, other: FloatArray) -> float:
    return float(np.abs(one - other).max(initial=0.0))
