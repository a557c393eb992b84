"""The lowest score that counts: given, or where F1 is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from maskdet.evaluation.ranking import Ranking, Scene, of_class, rank_voc

Thresholds = float | Literal["best-f1"] | Mapping[str, float]
"""One number, each class's best F1, or a number by label; labels left out get their best F1."""

FALLBACK = 0.5
"""For a class that val cannot decide: it has no face there, or none is found."""


def class_threshold(ranking: Ranking, thresholds: Thresholds, label: str = "") -> float:
    """The number given, or the threshold of the best F1 on this ranking."""
    given = thresholds.get(label, "best-f1") if isinstance(thresholds, Mapping) else thresholds
    return best_f1_threshold(ranking) if given == "best-f1" else float(given)


def best_thresholds(scenes: Sequence[Scene], labels: Sequence[str]) -> dict[str, float]:
    """The threshold of each class's best F1, by label; scenes with detections best first."""
    return {
        label: best_f1_threshold(rank_voc(of_class(scenes, number))) for number, label in enumerate(labels)
    }


def best_f1_threshold(ranking: Ranking) -> float:
    """Midway between the last score to keep and the next one, so that a slight change of score is harmless.

    Of equal F1 the higher threshold wins. FALLBACK where no detection is a hit.
    """
    if not ranking.hits.any():
        return FALLBACK
    scores = ranking.scores
    # A threshold cannot separate equal scores, so only the last of each run of them is a cut.
    cuts = np.flatnonzero(np.append(scores[1:] < scores[:-1], True))
    best = cuts[ranking.f1[cuts].argmax()]
    following = float(scores[best + 1]) if best + 1 < len(scores) else 0.0
    return _between(following, float(scores[best]))


def _between(low: float, high: float) -> float:
    middle = round((low + high) / 2, 4)
    # Scores are compared as float32: rounding must neither let `low` in nor shut `high` out.
    return middle if low < float(np.float32(middle)) <= high else high
