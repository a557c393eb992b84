"""The pictures that decide: where the challenger does better or worse than the champion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from maskdet.dataset.manifest import Manifest
from maskdet.evaluation.intervals import resampled_ap
from maskdet.evaluation.ranking import Curve
from maskdet.evaluation.rounding import rounded
from maskdet.gates.side import Side
from maskdet.types import ANY_CLASS, Detections, GroundTruth, IntArray

MOST: Final = 5
"""Pictures of each kind that a report shows."""
_LEAST: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """One model's answer in a picture, under its `labels`, and what is wrong with it."""

    labels: tuple[str, ...]
    found: Detections
    missed: int
    """Faces that do not get their own label."""
    bare_passed: int
    """Of these, bare faces called masked."""
    false_alarms: int

    @property
    def mistakes(self) -> int:
        """A bare face passed counts twice: it is also missed."""
        return self.missed + self.bare_passed + self.false_alarms

    def to_json(self) -> dict[str, Any]:
        found = zip(self.found.boxes, self.found.scores, self.found.class_ids, strict=True)
        return {
            "mistakes": self.mistakes,
            "missed": self.missed,
            "bare_passed": self.bare_passed,
            "false_alarms": self.false_alarms,
            "found": [
                {"label": self.labels[number], "score": round(float(score), 4), "box": _box(box)}
                for box, score, number in found
            ],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Deciding:
    """One picture by its name in the data set; boxes are xyxy in its pixels.

    ap50_effect: what the picture adds to the difference of AP50, challenger minus champion: that difference
    with all pictures, less the one without this picture.
    """

    picture: str
    labels: tuple[str, ...]
    truth: GroundTruth
    challenger: Answer
    champion: Answer
    ap50_effect: float

    @property
    def gain(self) -> int:
        """How many mistakes fewer the challenger makes; negative if it makes more."""
        return self.champion.mistakes - self.challenger.mistakes

    def to_json(self) -> dict[str, Any]:
        """The label of a face of ANY_CLASS is null."""
        truth = zip(self.truth.boxes, self.truth.class_ids, self.truth.difficult, strict=True)
        return {
            "picture": self.picture,
            "gain": self.gain,
            "ap50_effect": rounded(self.ap50_effect),
            "truth": [
                {"label": self._label(number), "box": _box(box), "difficult": bool(difficult)}
                for box, number, difficult in truth
            ],
            "challenger": self.challenger.to_json(),
            "champion": self.champion.to_json(),
        }

    def _label(self, number: int) -> str | None:
        return None if number == ANY_CLASS else self.labels[number]


def deciding_pictures(
    challenger: Side, champion: Side, manifest: Manifest
) -> tuple[tuple[Deciding, ...], tuple[Deciding, ...]]:
    """The worst regressions and the best gains, up to MOST of each.

    Sorted by mistakes at the shipped thresholds, those with equally many by their effect on AP50.
    """
    pictures = [manifest.name(item) for item in manifest.part("val")]
    ours, theirs = _Answers(challenger), _Answers(champion)
    effects = _effects(challenger, champion)
    gains = theirs.mistakes - ours.mistakes
    order = np.lexsort((effects, gains))
    worse = [n for n in order if (gains[n], effects[n]) < (0, -_LEAST)][:MOST]
    better = [n for n in order[::-1] if (gains[n], effects[n]) > (0, _LEAST)][:MOST]

    def tell(rows: Sequence[int]) -> Iterator[Deciding]:
        for n in rows:
            yield Deciding(
                pictures[n], manifest.labels, ours.truth(n), ours.of(n), theirs.of(n), float(effects[n])
            )

    return tuple(tell(worse)), tuple(tell(better))


class _Answers:
    """The answers of a side by picture, and their mistakes [P]."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._missed = side.faces(side.pool.face_counts & ~side.right)
        self._passed = side.faces(side.passed)
        self._alarms = side.alarms()
        self.mistakes: IntArray = self._missed + self._passed + self._alarms

    def truth(self, picture: int) -> GroundTruth:
        return self._side.scenes[picture][0]

    def of(self, picture: int) -> Answer:
        side = self._side
        return Answer(
            tuple(side.judged.thresholds),
            side.pool.found.select(side.said & (side.pool.pictures == picture)),
            int(self._missed[picture]),
            int(self._passed[picture]),
            int(self._alarms[picture]),
        )


def _effects(challenger: Side, champion: Side) -> Curve:
    """[P] each picture's part in the difference of AP50."""
    pictures = len(challenger.scenes)
    # The first row has all pictures, each further row lacks one.
    weights = np.concatenate([np.zeros((1, pictures)), np.eye(pictures)]).astype(np.float32)
    shared = [label for label in challenger.classes if label in champion.classes]
    if not shared:
        return np.zeros(pictures)
    differences = _mean(challenger, shared, 1 - weights) - _mean(champion, shared, 1 - weights)
    effects: Curve = np.nan_to_num(differences[0] - differences[1:])
    return effects


def _mean(side: Side, labels: Sequence[str], weights: Any) -> Curve:
    curves = [
        resampled_ap(each.ranking, side.faces(side.of_label(each.label)), weights)
        for each in side.judged.classes
        if each.label in labels
    ]
    # Without one picture there may be no face at all: that row stays, as 0, so that rows are pictures.
    stacked = np.stack(curves)
    present = ~np.isnan(stacked)
    means: Curve = np.where(present, stacked, 0.0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    return means


def _box(row: Any) -> list[float]:
    return [round(float(edge), 1) for edge in row]
