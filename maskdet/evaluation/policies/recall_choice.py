"""The policy `recall`: the best mean F1 among the thresholds that answer most faces of each class."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from maskdet.detector.threshold_policy import percentage
from maskdet.evaluation.policies.choice import FEWEST_FACES, Choice, Val
from maskdet.evaluation.policies.search import ThresholdSearch
from maskdet.types import FloatArray, IntArray


def recall_choice(val: Val, least: float) -> Choice:
    """At least this share of each class's faces answered on val; if that is impossible, as many as possible.

    A class with fewer than FEWEST_FACES, or of which none is ever found, keeps the threshold of its best F1.
    """
    target = _Target.of(val, least)
    left_out = tuple(_left_out(val, target))
    if not len(target.class_ids):
        return Choice({}, (*left_out, "val cannot decide any class by recall"))
    best = target.sought()
    return Choice(val.by_label(best), (*left_out, *_short(val, target, target.found(best))))


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """Number of faces `wanted` [K] to answer, for the K classes that val can decide."""

    val: Val
    least: float
    faces: IntArray
    """[C]"""
    findable: IntArray
    """[C] the faces to which any detection gives their own label."""
    class_ids: IntArray
    wanted: IntArray

    @classmethod
    def of(cls, val: Val, least: float) -> _Target:
        pool, size = val.pool, len(val.labels)
        faces = pool.faces_by_class(pool.face_counts, size)
        findable = pool.faces_by_class(pool.answered(np.ones(len(pool.found), np.bool_)), size)
        class_ids = np.flatnonzero((faces >= FEWEST_FACES) & (findable > 0))
        wanted = [math.ceil(least * int(count) - 1e-9) for count in faces[class_ids]]
        return cls(val, least, faces, findable, class_ids, np.array(wanted, np.int64))

    def found(self, thresholds: FloatArray) -> IntArray:
        """[K] the faces to which the answer at thresholds [C] gives their own label."""
        pool = self.val.pool
        right = pool.answered(pool.answers(thresholds))
        return pool.faces_by_class(right, len(thresholds))[self.class_ids]

    def short(self, thresholds: FloatArray) -> int:
        """Faces that are missing, over all classes."""
        return int(np.maximum(self.wanted - self.found(thresholds), 0).sum())

    def sought(self) -> FloatArray:
        search, start = ThresholdSearch(self.val.pool, self.short, self.val.grid), self.val.best_f1
        best = search.climb(start, self.class_ids)
        if not self.short(best):
            return best
        # What one class gains by a lower threshold it takes from others: so lower all together.
        lowered = search.climb(search.scaled(start, self.class_ids), self.class_ids)
        return search.better(best, lowered)


def _left_out(val: Val, target: _Target) -> Iterator[str]:
    for label, count, found in zip(val.labels, target.faces, target.findable, strict=True):
        if count < FEWEST_FACES:
            yield (
                f"val has {count} faces of {label}, and a choice by recall needs {FEWEST_FACES}: "
                "its threshold is that of its best F1"
            )
        elif not found:
            yield f"the model gives none of the {count} faces of {label} that label, whatever the threshold"


def _short(val: Val, target: _Target, found: IntArray) -> Iterator[str]:
    for number, got, want in zip(target.class_ids, found, target.wanted, strict=True):
        if got < want:
            yield (
                f"no thresholds were found that answer {percentage(target.least)} of the "
                f"{target.faces[number]} faces of {val.labels[number]}; with these, the best there are, "
                f"{got} are answered"
            )
