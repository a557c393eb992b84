"""The detections of one class over all pictures, best score first, each a hit or a false positive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskdet.detector.iou import INCLUSIVE, pairwise_iou
from maskdet.evaluation.matching import UNMATCHED, match_coco, match_voc
from maskdet.types import ANY_CLASS, BoolArray, Detections, FloatArray, GroundTruth, IntArray

Scene = tuple[GroundTruth, Detections]
"""One picture: its ground truth and its detections."""

Curve = NDArray[np.float64]

COCO_IOUS: Curve = np.linspace(0.5, 0.95, 10, dtype=np.float64)
COCO_DETECTIONS = 100
"""COCO counts only this many detections per class and picture, the best-scored ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """scores [N] float32, best first; hits [N]: True where the detection found a face; truths to be found;
    pictures [N]: the number of each detection's picture.

    Detections of ignored (difficult) faces are not in it: they do not count either way.
    """

    scores: FloatArray
    hits: BoolArray
    truths: int
    pictures: IntArray

    @property
    def precision(self) -> Curve:
        """Share of hits among the first 1, 2, ... N detections, [N]."""
        curve: Curve = self.hits.cumsum() / np.arange(1, len(self.hits) + 1)
        return curve

    @property
    def recall(self) -> Curve:
        """Share of the truths found by the first 1, 2, ... N detections, [N]; zeros if there are none."""
        curve: Curve = self.hits.cumsum() / max(self.truths, 1)
        return curve

    @property
    def f1(self) -> Curve:
        """Harmonic mean of precision and recall of the first 1, 2, ... N detections, [N]."""
        curve: Curve = 2 * self.hits.cumsum() / (np.arange(1, len(self.hits) + 1) + self.truths)
        return curve

    def counts(self, threshold: float) -> tuple[int, int, int]:
        """True positives, false positives and misses of the detections whose score reaches `threshold`."""
        kept = self.scores >= np.float32(threshold)
        hits = int(self.hits[kept].sum())
        return hits, int(kept.sum()) - hits, self.truths - hits


def of_class(scenes: Iterable[Scene], class_id: int) -> list[Scene]:
    """The scenes with the truths and detections of one class only, and the truths of ANY_CLASS."""
    return [
        (
            _select(truth, np.isin(truth.class_ids, (class_id, ANY_CLASS))),
            found.select(found.class_ids == class_id),
        )
        for truth, found in scenes
    ]


def rank_voc(scenes: Sequence[Scene]) -> Ranking:
    """VOC's matching at IoU 0.5 with inclusive pixels; the scenes hold one class, best score first."""
    claims = [
        match_voc(pairwise_iou(found.boxes, truth.boxes, INCLUSIVE), truth.difficult)
        for truth, found in scenes
    ]
    return _rank(scenes, [len(found) for _, found in scenes], claims)


def rank_coco(scenes: Sequence[Scene]) -> list[Ranking]:
    """COCO's matching with plain IoU, one ranking for each of COCO_IOUS; scenes as for `rank_voc`."""
    shown = [min(len(found), COCO_DETECTIONS) for _, found in scenes]
    claims = [
        match_coco(pairwise_iou(found.boxes[:limit], truth.boxes), truth.difficult, COCO_IOUS)
        for (truth, found), limit in zip(scenes, shown, strict=True)
    ]
    return [_rank(scenes, shown, [claim[level] for claim in claims]) for level in range(len(COCO_IOUS))]


def _rank(scenes: Sequence[Scene], shown: Sequence[int], claims: Sequence[IntArray]) -> Ranking:
    scores = [found.scores[:limit] for (_, found), limit in zip(scenes, shown, strict=True)]
    hits = [claim != UNMATCHED for claim in claims]
    ignored = [_ignored(truth, claim) for (truth, _), claim in zip(scenes, claims, strict=True)]
    counted = ~np.concatenate(ignored)
    all_scores, all_hits = np.concatenate(scores)[counted], np.concatenate(hits)[counted]
    # Stable: equal scores stay in the order of the pictures, as in ppdet and pycocotools.
    order = np.argsort(-all_scores, kind="stable")
    truths = sum(int((~truth.difficult).sum()) for truth, _ in scenes)
    pictures = np.repeat(np.arange(len(scenes)), [len(hit) for hit in hits])[counted]
    return Ranking(all_scores[order], all_hits[order], truths, pictures[order])


def _ignored(truth: GroundTruth, claim: IntArray) -> BoolArray:
    if len(truth) == 0:
        return np.zeros(len(claim), np.bool_)
    ignored: BoolArray = (claim != UNMATCHED) & truth.difficult[claim]
    return ignored


def _select(truth: GroundTruth, keep: BoolArray) -> GroundTruth:
    return GroundTruth(truth.boxes[keep], truth.class_ids[keep], truth.difficult[keep])
