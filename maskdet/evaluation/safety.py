"""What wrong answers cost: bare faces passed, masks worn wrong mistaken for either, false alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from maskdet.evaluation.intervals import Interval, Weights, resampled_rate, wilson
from maskdet.evaluation.pool import NO_FACE, Pool
from maskdet.evaluation.rounding import rounded, rounded_ends
from maskdet.types import BoolArray, FloatArray, IntArray
from maskdet.wording.lexicon import Role

WIDE: Final = 16.0
"""Pixels at network scale: a face wider than this shows enough detail to be classified."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` of `of`, times `scale`. `interval`: 95 %, None if there is nothing to count."""

    count: int
    of: int
    interval: Interval | None
    scale: int = 1

    @property
    def value(self) -> float | None:
        return self.scale * self.count / self.of if self.of else None

    def to_json(self) -> dict[str, Any]:
        return {
            "value": rounded(self.value),
            "count": self.count,
            "of": self.of,
            "interval": rounded_ends(self.interval),
        }


@dataclass(frozen=True, slots=True)
class Safety:
    """The rates by name, see docs/evaluation.md; those whose roles no label has are absent."""

    roles: Mapping[str, Role]
    rates: Mapping[str, Rate]

    def to_json(self) -> dict[str, Any]:
        return {"roles": dict(self.roles), **{name: rate.to_json() for name, rate in self.rates.items()}}


@dataclass(frozen=True, slots=True)
class Parts:
    """Class ids by role."""

    masked: IntArray
    bare: IntArray
    worn_wrong: IntArray

    @classmethod
    def of(cls, roles: Mapping[str, Role], labels: Sequence[str]) -> Parts:
        def ids(role: Role) -> IntArray:
            return np.array([n for n, label in enumerate(labels) if roles.get(label) == role], np.int64)

        return cls(ids("masked"), ids("bare"), ids("worn-wrong"))

    @property
    def by_role(self) -> dict[Role, IntArray]:
        """Of the roles that a class has."""
        ids: dict[Role, IntArray] = {"masked": self.masked, "bare": self.bare, "worn-wrong": self.worn_wrong}
        return {role: own for role, own in ids.items() if len(own)}

    @property
    def decide_bare(self) -> bool:
        """Whether a bare face can be passed at all."""
        return bool(len(self.masked) and len(self.bare))


def called(pool: Pool, said: BoolArray, classes: IntArray) -> BoolArray:
    """[M] the faces nearest to a detection of `classes` among `said` [N]."""
    naming = said & np.isin(pool.found.class_ids, classes) & (pool.nearest != NO_FACE)
    marks = np.zeros(len(pool.face_classes), np.bool_)
    marks[pool.nearest[naming]] = True
    return marks


def touched(pool: Pool, said: BoolArray, classes: IntArray) -> BoolArray:
    """[M] the faces that any detection of `classes` among `said` [N] overlaps, nearest or not."""
    naming = said & np.isin(pool.found.class_ids, classes)
    marks = np.zeros(len(pool.face_classes), np.bool_)
    marks[pool.touching[naming[pool.touching[:, 0]], 1]] = True
    return marks


def faces_of(pool: Pool, classes: IntArray) -> BoolArray:
    """[M] the faces of `classes` that count."""
    return np.isin(pool.face_classes, classes) & pool.face_counts


def measure_safety(
    pool: Pool,
    widths: FloatArray,
    thresholds: FloatArray,
    roles: Mapping[str, Role],
    labels: Sequence[str],
) -> Safety:
    """The shares of mislabelled faces, at `thresholds` [C]; widths [M] at network scale.

    A face gets the labels of the answer's detections that overlap it most.
    """
    parts = Parts.of(roles, labels)
    said = pool.answers(thresholds)
    over = pool.found.scores >= thresholds[pool.found.class_ids]
    bare, wide = faces_of(pool, parts.bare), widths > WIDE
    masked = called(pool, said, parts.masked)
    shares: dict[str, tuple[BoolArray, BoolArray]] = {}
    if parts.decide_bare:
        loose = touched(pool, over, parts.masked)
        shares["bare_passed"] = masked, bare
        shares["bare_passed_wide"] = masked, bare & wide
        shares["bare_passed_any"] = loose, bare
        shares["bare_passed_any_wide"] = loose, bare & wide
        shares["masked_as_bare"] = called(pool, said, parts.bare), faces_of(pool, parts.masked)
    wrong = faces_of(pool, parts.worn_wrong)
    if len(parts.worn_wrong) and len(parts.masked):
        shares["worn_wrong_as_masked"] = masked, wrong
    if len(parts.worn_wrong) and len(parts.bare):
        shares["worn_wrong_as_bare"] = called(pool, said, parts.bare), wrong
    return Safety(roles, {name: share(hit, among) for name, (hit, among) in shares.items()})


def false_alarms(pool: Pool, said: BoolArray) -> BoolArray:
    """[N] the detections among `said` that overlap no labelled face by half."""
    alarms: BoolArray = said & (pool.nearest == NO_FACE)
    return alarms


def false_alarm_rate(pool: Pool, thresholds: FloatArray, weights: Weights) -> Rate:
    """Detections that overlap no labelled face by half, per 1000 faces that count."""
    alarms = false_alarms(pool, pool.answers(thresholds))
    pictures = weights.shape[1]
    false = np.bincount(pool.pictures[alarms], minlength=pictures)
    faces = np.bincount(pool.face_pictures[pool.face_counts], minlength=pictures)
    ends = resampled_rate(false, faces, weights, scale=1000)
    return Rate(int(false.sum()), int(faces.sum()), ends, scale=1000)


def share(hit: BoolArray, among: BoolArray) -> Rate:
    """The share of the faces `among` [M] that are also `hit` [M]."""
    count, of = int((hit & among).sum()), int(among.sum())
    return Rate(count, of, wilson(count, of))
