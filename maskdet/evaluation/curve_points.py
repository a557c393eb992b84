"""The curves of an evaluation as few points, to be drawn elsewhere."""

from __future__ import annotations

from typing import Final

import numpy as np

from maskdet.evaluation.ranking import Curve, Ranking
from maskdet.evaluation.result import Evaluation
from maskdet.types import IntArray

MOST: Final = 200
"""Points of a curve, half of them spread evenly over its recall and half over its scores."""
_DECIMALS: Final = 4


def curve_points(evaluation: Evaluation) -> dict[str, dict[str, list[float]]]:
    """By label of a class with an AP: scores falling, and precision, recall and F1 of all down to each."""
    return {each.label: _points(each.ranking) for each in evaluation.classes if each.ap50 is not None}


def _points(ranking: Ranking) -> dict[str, list[float]]:
    places = _places(ranking)
    curves = {
        "scores": ranking.scores,
        "precision": ranking.precision,
        "recall": ranking.recall,
        "f1": ranking.f1,
    }
    return {name: _rounded(np.asarray(curve, np.float64)[places]) for name, curve in curves.items()}


def _places(ranking: Ranking) -> IntArray:
    """The ranks that are kept: all if they are few, else an even choice with the first and the last."""
    last = len(ranking.scores) - 1
    if last < MOST:
        return np.arange(last + 1)
    by_recall = np.searchsorted(ranking.recall, np.linspace(0, 1, MOST // 2 - 1))
    by_score = np.searchsorted(-ranking.scores, -np.linspace(1, 0, MOST // 2 - 1))
    kept: IntArray = np.unique(np.clip(np.concatenate([by_recall, by_score, [0, last]]), 0, last))
    return kept


def _rounded(curve: Curve) -> list[float]:
    values: list[float] = np.round(curve, _DECIMALS).tolist()
    return values
