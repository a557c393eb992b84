"""The policy `safe`: the best mean F1 among the thresholds that let few bare faces pass as masked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from maskdet.evaluation.safety import WIDE, Parts, faces_of, touched
from maskdet.evaluation.threshold_choice import FEWEST_FACES, Choice, Val
from maskdet.evaluation.threshold_search import ThresholdSearch
from maskdet.types import FloatArray


def safe_choice(val: Val, most_passed: float) -> Choice:
    """At most this share of the wide bare faces passed as masked.

    The search picks the thresholds on val, so two measures protect unseen faces. The share follows the rule
    of succession, (passed + 1) / (faces + 2). And a face counts as passed if any box with a masked label over
    its threshold is on it, even if the answer prefers another label: so the limit also holds for clients that
    treat classes separately.
    """
    parts = Parts.of(val.roles, val.labels)
    bare = faces_of(val.pool, parts.bare) & (val.widths > WIDE)
    faces = int(bare.sum())
    if lacking := _lacking(parts, faces):
        return Choice({}, (f"{lacking}: the thresholds are those of the best F1",))
    allowed = max(0, int(most_passed * (faces + 2) - 1 + 1e-9))

    def passed(thresholds: FloatArray) -> int:
        over = val.pool.found.scores >= thresholds[val.pool.found.class_ids]
        return int((touched(val.pool, over, parts.masked) & bare).sum())

    search = ThresholdSearch(val.pool, lambda thresholds: max(0, passed(thresholds) - allowed))
    best = search.climb(search.spread(val.best_f1, parts), np.arange(len(val.labels)))
    return Choice(val.by_label(best), tuple(_notes(passed(best), allowed, faces, most_passed)))


def _lacking(parts: Parts, bare: int) -> str:
    if not parts.decide_bare:
        return "no label has the role masked, or none bare"
    few = f"val has {bare} bare faces wider than {WIDE:.0f} px, and safe thresholds need {FEWEST_FACES}"
    return few if bare < FEWEST_FACES else ""


def _notes(passed: int, allowed: int, bare: int, most_passed: float) -> Iterator[str]:
    of = f"of {bare} bare faces wider than {WIDE:.0f} px"
    if passed > allowed:
        yield f"no thresholds let at most {most_passed:.1%} {of} pass as masked: with these it is {passed}"
    elif 1 / (bare + 2) > most_passed:
        yield f"val is too small to guarantee {most_passed:.1%}; the thresholds let none {of} pass as masked"
