"""One figure for a ranking: PaddleDetection's integral VOC AP, and COCO's AP over 101 recalls."""

from __future__ import annotations

import numpy as np

from maskdet.evaluation.ranking import Curve, Ranking

COCO_RECALLS: Curve = np.linspace(0.0, 1.0, 101, dtype=np.float64)


def integral_ap(ranking: Ranking) -> float:
    """Sum of the precision at each hit times its step in recall: 0..1.

    The formula of ppdet's `DetectionMAP(map_type="integral")`. It takes precision as measured; the VOC
    devkit first raises it to the best precision at any higher recall, which gives a slightly higher figure.
    Raises ValueError without ground truth, for which AP is undefined.
    """
    _require_truths(ranking)
    return float(ranking.precision[ranking.hits].sum()) / ranking.truths


def coco_ap(ranking: Ranking) -> float:
    """Mean over 101 recalls of the best precision at that recall or a higher one: 0..1.

    The formula of pycocotools' `COCOeval.accumulate`. Raises ValueError without ground truth.
    """
    _require_truths(ranking)
    envelope = np.maximum.accumulate(ranking.precision[::-1])[::-1]
    reached = np.searchsorted(ranking.recall, COCO_RECALLS, side="left")
    return float(np.append(envelope, 0.0)[reached].mean())


def _require_truths(ranking: Ranking) -> None:
    if ranking.truths == 0:
        raise ValueError("AP of a class without ground truth is undefined")
