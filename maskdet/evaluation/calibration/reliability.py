"""Whether scores are probabilities: of the detections with a score, the share that is right.

A detection is right if it finds a face of its own class, with VOC's matching at IoU 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from maskdet.evaluation.ranking import Curve, Scene, of_class, rank_voc
from maskdet.evaluation.rounding import rounded
from maskdet.types import BoolArray, FloatArray, IntArray

BINS: Final = 15
SEEN_FROM: Final = 0.1
"""Poorer detections are left out of the error: they are most of all, hardly ever right, and never shown."""
_DRAWS: Final = 200
_SEED: Final = 0


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """N detections with their scores, class ids and pictures; `right`: whether each finds a face."""

    scores: FloatArray
    right: BoolArray
    class_ids: IntArray
    pictures: IntArray

    def select(self, rows: BoolArray) -> Marked:
        return Marked(self.scores[rows], self.right[rows], self.class_ids[rows], self.pictures[rows])


@dataclass(frozen=True, slots=True)
class Bin:
    """Detections with scores from `low` to the next bin: their mean score, and the share that is right."""

    low: float
    count: int
    score: float
    right: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """ece: mean gap between score and share right over the bins, each weighted by its number of detections.

    It covers scores from SEEN_FROM; `ece_all` covers all candidates after NMS. Few detections have a large
    error by chance alone: `ece_chance` is its mean if the scores were perfect.
    """

    detections: int
    ece: float | None
    ece_all: float | None
    ece_chance: float | None
    bins: tuple[Bin, ...]

    @classmethod
    def of(cls, marked: Marked) -> Reliability:
        shown = marked.select(marked.scores >= np.float32(SEEN_FROM))
        bins = tuple(_bins(shown))
        return cls(
            detections=len(shown.scores),
            ece=_error(shown.scores, shown.right),
            ece_all=_error(marked.scores, marked.right),
            ece_chance=_by_chance(shown.scores),
            bins=bins,
        )

    def to_json(self) -> dict[str, Any]:
        figures = {name: rounded(getattr(self, name)) for name in ("ece", "ece_chance", "ece_all")}
        bins = [
            {
                "from": rounded(one.low),
                "count": one.count,
                "score": rounded(one.score),
                "right": rounded(one.right),
            }
            for one in self.bins
        ]
        return {"detections": self.detections, **figures, "bins": bins}


def marked_detections(scenes: Sequence[Scene], labels: Sequence[str]) -> Marked:
    """All detections of the classes that occur in the scenes, which are best first; class after class.

    Those on difficult faces are left out.
    """
    ranked = [(number, rank_voc(of_class(scenes, number))) for number in range(len(labels))]
    own = [(number, ranking) for number, ranking in ranked if ranking.truths]
    return Marked(
        scores=np.concatenate([ranking.scores for _, ranking in own]),
        right=np.concatenate([ranking.hits for _, ranking in own]),
        class_ids=np.concatenate([np.full(len(ranking.scores), number) for number, ranking in own]),
        pictures=np.concatenate([ranking.pictures for _, ranking in own]),
    )


def _places(scores: FloatArray) -> IntArray:
    places: IntArray = np.minimum((scores.astype(np.float64) * BINS).astype(np.int64), BINS - 1)
    return places


def _bins(marked: Marked) -> list[Bin]:
    places = _places(marked.scores)
    inside = [(place, places == place) for place in np.unique(places)]
    return [
        Bin(
            place / BINS, int(rows.sum()), float(marked.scores[rows].mean()), float(marked.right[rows].mean())
        )
        for place, rows in inside
    ]


def _error(scores: FloatArray, right: BoolArray) -> float | None:
    return float(_errors(scores, right[None])[0]) if len(scores) else None


def _errors(scores: FloatArray, right: BoolArray) -> Curve:
    """[R] for the outcomes [R, N]: the bins' sums of score less right, each as a distance."""
    places = _places(scores)
    gaps = scores.astype(np.float64) - right
    order = np.argsort(places, kind="stable")
    starts = np.unique(places[order], return_index=True)[1]
    errors: Curve = np.abs(np.add.reduceat(gaps[:, order], starts, axis=1)).sum(axis=1) / len(scores)
    return errors


def _by_chance(scores: FloatArray) -> float | None:
    """Seeded. One outcome at a time, so that memory stays small."""
    if not len(scores):
        return None
    rng = np.random.default_rng(_SEED)
    drawn = [_errors(scores, (rng.random(len(scores)) < scores)[None])[0] for _ in range(_DRAWS)]
    return float(np.mean(drawn))
