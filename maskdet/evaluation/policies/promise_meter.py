"""The terms of a promise counted on val.

If thresholds were chosen on val, those of a picture come from the other folds here, and so does the
calibration of its scores: the figures are those of unseen pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from maskdet.evaluation.calibration.cross_fit import FOLDS
from maskdet.evaluation.intervals import draw_resamples, resampled_rate
from maskdet.evaluation.policies.chooser import Chooser
from maskdet.evaluation.policies.promise import Promise, Term, alarms_term, answered_term, bare_term
from maskdet.evaluation.policies.promise_choice import answered_faces
from maskdet.evaluation.pool import Pool, pool
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.safety import WIDE, Parts, Rate, called, faces_of, false_alarms, share
from maskdet.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class PromiseMeter:
    """`chooser`: what the policies chose from; folds [P]: the fold of each picture."""

    chooser: Chooser
    folds: IntArray

    def measure(self, judged: Evaluation) -> Promise:
        """For the thresholds of an evaluation, or if val chose them, for what its policy chooses in each
        fold's absence.
        """
        held_out = judged.source == "val" and len(np.unique(self.folds)) == FOLDS
        rows = self._by_fold(judged) if held_out else np.tile(_scores(judged.thresholds), (FOLDS, 1))
        found = pool(self.chooser.scenes, float(rows.min()))
        return Promise(tuple(self._terms(found, self._said(found, rows))), held_out)

    def _by_fold(self, judged: Evaluation) -> FloatArray:
        """[F, C]"""
        own = [self.chooser.only(self.folds != fold).thresholds(judged.policy.name) for fold in range(FOLDS)]
        return np.stack([_scores(thresholds) for thresholds in own])

    def _said(self, found: Pool, rows: FloatArray) -> BoolArray:
        """[N] the answer to each picture at the thresholds of its fold."""
        said = np.zeros(len(found.found), np.bool_)
        own = self.folds[found.pictures]
        for fold, thresholds in enumerate(rows):
            said |= found.answers(thresholds) & (own == fold)
        return said

    def _terms(self, found: Pool, said: BoolArray) -> Iterator[Term]:
        limits, parts = self.chooser.settings.limits, Parts.of(self.chooser.roles, self.chooser.labels)
        wide = self.chooser.widths > WIDE
        if parts.decide_bare:
            passed = called(found, said, parts.masked)
            yield bare_term(share(passed, faces_of(found, parts.bare) & wide), limits.bare_passed)
        for role, classes in parts.by_role.items():
            own = faces_of(found, classes) & wide
            yield answered_term(role, share(answered_faces(found, said, classes), own), limits.answered)
        yield alarms_term(_alarms(found, said, len(self.folds)), limits.false_alarms)


def _alarms(found: Pool, said: BoolArray, pictures: int) -> Rate:
    alarms = np.bincount(found.pictures[false_alarms(found, said)], minlength=pictures)
    faces = np.bincount(found.face_pictures[found.face_counts], minlength=pictures)
    ends = resampled_rate(alarms, faces, draw_resamples(pictures))
    return Rate(int(alarms.sum()), int(faces.sum()), ends)


def _scores(thresholds: dict[str, float]) -> FloatArray:
    return np.array(list(thresholds.values()), np.float32)
