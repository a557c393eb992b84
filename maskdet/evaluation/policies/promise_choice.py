"""The policy `promise`: the best mean F1 among the thresholds that keep a promise to both sides."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from maskdet.detector.threshold_policy import percentage
from maskdet.evaluation.policies.choice import FEWEST_FACES, Choice, Val
from maskdet.evaluation.policies.safe_choice import BareLimit
from maskdet.evaluation.policies.search import ThresholdSearch
from maskdet.evaluation.pool import Pool
from maskdet.evaluation.safety import WIDE, Parts, called, faces_of, false_alarms
from maskdet.evaluation.settings import Limits
from maskdet.types import BoolArray, FloatArray, IntArray
from maskdet.wording.lexicon import Role

_WANTED: Final = "no thresholds were found that keep"


def promise_choice(val: Val, limits: Limits) -> Choice:
    """Bare faces passed, faces answered and false alarms within the limits; if that is impossible, as few
    faces beyond them as possible.

    A role with fewer than FEWEST_FACES wide faces is not considered.
    """
    seeker = _Seeker.of(val, limits)
    if not seeker.wanted:
        few = f"val has fewer than {FEWEST_FACES} faces wider than {WIDE:.0f} px of each role"
        return Choice({}, (f"{few}: the thresholds are those of the best F1",))
    search = ThresholdSearch(val.pool, seeker.at_fault, val.grid)
    parts = Parts.of(val.roles, val.labels)
    best = search.climb(search.spread(val.best_f1, parts), np.arange(len(val.labels)))
    return Choice(val.by_label(best), tuple(seeker.notes(best)))


@dataclass(frozen=True, slots=True, eq=False)
class _Seeker:
    """wanted: by role, how many of its wide faces must be answered; alarms: how many are allowed."""

    val: Val
    limits: Limits
    bare: BareLimit
    classes: Mapping[Role, IntArray]
    wide: BoolArray
    wanted: Mapping[Role, int]
    alarms: int

    @classmethod
    def of(cls, val: Val, limits: Limits) -> _Seeker:
        classes, wide = Parts.of(val.roles, val.labels).by_role, val.widths > WIDE
        faces = {role: int((faces_of(val.pool, ids) & wide).sum()) for role, ids in classes.items()}
        return cls(
            val=val,
            limits=limits,
            bare=BareLimit.of(val, limits.bare_passed),
            classes=classes,
            wide=wide,
            wanted={
                role: math.ceil(limits.answered * count - 1e-9)
                for role, count in faces.items()
                if count >= FEWEST_FACES
            },
            alarms=int(limits.false_alarms * int(val.pool.face_counts.sum()) + 1e-9),
        )

    def at_fault(self, thresholds: FloatArray) -> int:
        """Faces and false alarms beyond the limits."""
        said = self.val.pool.answers(thresholds)
        missing = (self.wanted[role] - self._answered(said, role) for role in self.wanted)
        beyond = [self._alarms(said) - self.alarms, *missing]
        return self._passed_beyond(thresholds) + sum(max(0, count) for count in beyond)

    def notes(self, thresholds: FloatArray) -> Iterator[str]:
        said = self.val.pool.answers(thresholds)
        if not self.bare.lacking:
            yield from self.bare.notes(thresholds)
        for role, wanted in self.wanted.items():
            if (answered := self._answered(said, role)) < wanted:
                of = int((faces_of(self.val.pool, self.classes[role]) & self.wide).sum())
                least = f"eval.min_answered {percentage(self.limits.answered)}"
                faces = f"{role} faces wider than {WIDE:.0f} px"
                yield f"{_WANTED} {least} for {faces}: with these, {answered} of {of} are answered"
        if (alarms := self._alarms(said)) > self.alarms:
            count = int(self.val.pool.face_counts.sum())
            most = f"eval.max_false_alarms {self.limits.false_alarms:g}"
            yield f"{_WANTED} {most}: with these, there are {alarms} on {count} faces"

    def _passed_beyond(self, thresholds: FloatArray) -> int:
        return 0 if self.bare.lacking else self.bare.at_fault(thresholds)

    def _answered(self, said: BoolArray, role: Role) -> int:
        return int((answered_faces(self.val.pool, said, self.classes[role]) & self.wide).sum())

    def _alarms(self, said: BoolArray) -> int:
        return int(false_alarms(self.val.pool, said).sum())


def answered_faces(pool: Pool, said: BoolArray, classes: IntArray) -> BoolArray:
    """[M] the faces of `classes`, which share a role, that the answer gives one of these labels."""
    return called(pool, said, classes) & faces_of(pool, classes)
