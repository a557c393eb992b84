"""The policy `safe`: the best mean F1 among the thresholds that let few bare faces pass as masked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from maskdet.evaluation.policies.choice import FEWEST_FACES, Choice, Val
from maskdet.evaluation.policies.search import ThresholdSearch
from maskdet.evaluation.safety import WIDE, Parts, faces_of, touched
from maskdet.types import BoolArray, FloatArray


def safe_choice(val: Val, most_passed: float) -> Choice:
    """At most this share of the wide bare faces passed as masked, see `BareLimit`."""
    limit = BareLimit.of(val, most_passed)
    if limit.lacking:
        return Choice({}, (f"{limit.lacking}: the thresholds are those of the best F1",))
    search = ThresholdSearch(val.pool, limit.at_fault, val.grid)
    best = search.climb(search.spread(val.best_f1, limit.parts), np.arange(len(val.labels)))
    return Choice(val.by_label(best), tuple(limit.notes(best)))


@dataclass(frozen=True, slots=True, eq=False)
class BareLimit:
    """At most a share of the wide bare faces `bare` [M] passed as masked.

    A search picks thresholds on val, so two measures protect unseen faces. The share follows the rule of
    succession, (passed + 1) / (faces + 2). And a face counts as passed if any box with a masked label over
    its threshold is on it, even if the answer prefers another label: so the limit also holds for clients that
    treat classes separately.
    """

    val: Val
    parts: Parts
    most_passed: float
    bare: BoolArray

    @classmethod
    def of(cls, val: Val, most_passed: float) -> BareLimit:
        parts = Parts.of(val.roles, val.labels)
        return cls(val, parts, most_passed, faces_of(val.pool, parts.bare) & (val.widths > WIDE))

    @property
    def faces(self) -> int:
        return int(self.bare.sum())

    @property
    def lacking(self) -> str:
        """Why val cannot decide; empty if it can."""
        if not self.parts.decide_bare:
            return "no label has the role masked, or none bare"
        found = f"val has {self.faces} bare faces wider than {WIDE:.0f} px"
        return "" if self.faces >= FEWEST_FACES else f"{found}, and safe thresholds need {FEWEST_FACES}"

    def at_fault(self, thresholds: FloatArray) -> int:
        """Faces passed at thresholds [C] beyond those allowed."""
        return max(0, self._passed(thresholds) - self._allowed)

    def notes(self, thresholds: FloatArray) -> Iterator[str]:
        """What the thresholds do not keep, or val cannot prove."""
        passed, of = self._passed(thresholds), f"of {self.faces} bare faces wider than {WIDE:.0f} px"
        share = f"{self.most_passed:.1%}"
        if passed > self._allowed:
            yield f"no thresholds let at most {share} {of} pass as masked: with these it is {passed}"
        elif 1 / (self.faces + 2) > self.most_passed:
            yield f"val is too small to guarantee {share}; the thresholds let none {of} pass as masked"

    @property
    def _allowed(self) -> int:
        return max(0, int(self.most_passed * (self.faces + 2) - 1 + 1e-9))

    def _passed(self, thresholds: FloatArray) -> int:
        over = self.val.pool.found.scores >= thresholds[self.val.pool.found.class_ids]
        return int((touched(self.val.pool, over, self.parts.masked) & self.bare).sum())
