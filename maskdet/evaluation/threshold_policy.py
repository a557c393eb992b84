"""The safe thresholds: the best mean F1 among those that let few bare faces pass as masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from maskdet.evaluation.pool import NO_FACE, Pool
from maskdet.evaluation.safety import WIDE, Parts, faces_of, touched
from maskdet.lexicon import Role
from maskdet.types import BoolArray, FloatArray

FLOOR: Final = 0.05
"""No threshold is tried below it, so the pool may leave out what scores less."""
FEWEST_BARE: Final = 20
"""Wide bare faces that val needs for a choice by them."""
_COARSE: Final = np.arange(0.05, 0.96, 0.05).round(2).astype(np.float32)
_FINE: Final = np.arange(0.05, 0.96, 0.01).round(2).astype(np.float32)
_ROUNDS: Final = 3

Rank = tuple[int, float]
"""How good thresholds are: bare faces let through beyond what is allowed, as a negative number; mean F1."""


@dataclass(frozen=True, slots=True)
class SafeChoice:
    """Thresholds by label, none where val cannot decide; `notes` say what was not reached, and why."""

    thresholds: dict[str, float]
    notes: tuple[str, ...]


def safe_thresholds(
    pool: Pool,
    widths: FloatArray,
    start: FloatArray,
    roles: Mapping[str, Role],
    labels: Sequence[str],
    most_passed: float,
) -> SafeChoice:
    """Search from the best-F1 thresholds `start` [C]; `pool` from FLOOR up, `widths` [M] at network scale.

    Two things keep the promise on faces never seen, since the search has picked the thresholds by val. The
    share of wide bare faces let through is taken by the rule of succession, (passed + 1) / (faces + 2). And a
    face counts as passed if any box with a masked label over its threshold is on it, even where the answer
    prefers another label: so the limit also holds for a reader of the file who keeps classes apart.
    """
    parts = Parts.of(roles, labels)
    bare = faces_of(pool, parts.bare) & (widths > WIDE)
    lacking = _lacking(parts, int(bare.sum()))
    if lacking:
        return SafeChoice({}, (f"{lacking}: the thresholds are those of the best F1",))
    allowed = max(0, int(most_passed * (bare.sum() + 2) - 1 + 1e-9))
    search = _Search(pool, parts, bare, allowed)
    best = search.climb(search.spread(start))
    chosen = {label: round(float(score), 4) for label, score in zip(labels, best, strict=True)}
    return SafeChoice(chosen, tuple(_notes(search.passed(best), allowed, int(bare.sum()), most_passed)))


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    pool: Pool
    parts: Parts
    bare: BoolArray
    """[M] the wide bare faces."""
    allowed: int

    def passed(self, thresholds: FloatArray) -> int:
        over = self.pool.found.scores >= thresholds[self.pool.found.class_ids]
        return int((touched(self.pool, over, self.parts.masked) & self.bare).sum())

    def rank(self, thresholds: FloatArray) -> Rank:
        return min(0, self.allowed - self.passed(thresholds)), round(self._mean_f1(thresholds), 6)

    def spread(self, start: FloatArray) -> FloatArray:
        """The best of a coarse grid: one threshold for the masked labels, one for the bare ones."""
        tried = [start]
        for masked, bare in product(_COARSE, _COARSE):
            one = start.copy()
            one[self.parts.masked], one[self.parts.bare] = masked, bare
            tried.append(one)
        return max(tried, key=self.rank)

    def climb(self, thresholds: FloatArray) -> FloatArray:
        """Move one threshold at a time to the best of a fine grid, until none moves."""
        for _ in range(_ROUNDS):
            before = thresholds.copy()
            for class_id in range(len(thresholds)):
                thresholds = self._moved(thresholds, class_id)
            if np.array_equal(before, thresholds):
                break
        return thresholds

    def _moved(self, thresholds: FloatArray, class_id: int) -> FloatArray:
        tried = np.repeat(thresholds[None], len(_FINE), axis=0)
        tried[:, class_id] = _FINE
        ranks = [self.rank(one) for one in tried]
        best = max(ranks)
        if best == self.rank(thresholds):
            return thresholds
        first = ranks.index(best)
        run = next((n for n in range(first, len(ranks)) if ranks[n] != best), len(ranks))
        # Midway between the ends of a plateau, so that a slightly other score does not matter.
        moved: FloatArray = tried[(first + run - 1) // 2]
        return moved

    def _mean_f1(self, thresholds: FloatArray) -> float:
        pool, said = self.pool, self.pool.answers(thresholds)
        on_face = pool.own != NO_FACE
        found = np.zeros(len(pool.face_classes), np.bool_)
        found[pool.own[said & on_face]] = True
        counting = said.copy()
        counting[on_face] &= pool.face_counts[pool.own[on_face]]
        size = len(thresholds)
        faces = np.bincount(pool.face_classes[pool.face_counts], minlength=size)
        hits = np.bincount(pool.face_classes[found & pool.face_counts], minlength=size)
        shown = np.bincount(pool.found.class_ids[counting], minlength=size)
        present = faces > 0
        return float((2 * hits[present] / (faces + shown)[present]).mean())


def _lacking(parts: Parts, bare: int) -> str:
    if not parts.decide_bare:
        return "no label is of masked faces, or none of bare ones"
    few = f"val has {bare} bare faces wider than {WIDE:.0f} px, and safe thresholds need {FEWEST_BARE}"
    return few if bare < FEWEST_BARE else ""


def _notes(passed: int, allowed: int, bare: int, most_passed: float) -> Iterator[str]:
    of = f"of {bare} bare faces wider than {WIDE:.0f} px"
    if passed > allowed:
        yield f"no thresholds let at most {most_passed:.1%} {of} pass as masked: with these it is {passed}"
    elif 1 / (bare + 2) > most_passed:
        yield f"val is too small to promise {most_passed:.1%}; the thresholds let none {of} pass as masked"
