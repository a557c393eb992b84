"""A rule, what was measured, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from maskdet.evaluation.intervals import Interval
from maskdet.evaluation.rounding import rounded, rounded_ends
from maskdet.gates.settings import Judge

Verdict = Literal["pass", "fail", "unmeasured", "no champion"]
"""fail and unmeasured refuse the challenger; no champion: it is the first, with nothing to compare with."""
REFUSALS: Final[tuple[Verdict, ...]] = ("fail", "unmeasured")
Unit = Literal["share", "points", "per 1000", "ms", "MB", "difference", "ratio", "score"]
_SLACK: Final = 1e-9
_ENDS: Final = {"strict": "worse end of the interval", "value": "measured", "lenient": "better end"}


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure with its 95 % interval and what it was counted on. `missing` says why there is no value."""

    value: float | None
    interval: Interval | None
    count: int
    of: str
    missing: str = ""
    challenger: float | None = None
    champion: float | None = None
    """Both sides of a difference."""


@dataclass(frozen=True, slots=True)
class Bound:
    """`at_least` or at most `limit`, by an end of the interval or the value itself."""

    limit: float
    judge: Judge
    at_least: bool = True
    unit: Unit = "share"

    def judged(self, measure: Measure) -> float | None:
        """The end of the interval that decides, or the value where there is no interval."""
        if self.judge == "value" or measure.interval is None:
            return measure.value
        low, high = measure.interval
        return low if (self.judge == "strict") == self.at_least else high

    def misses_by(self, judged: float) -> float:
        """How far beyond the limit, 0 if it is kept."""
        beyond = self.limit - judged if self.at_least else judged - self.limit
        return beyond if beyond > _SLACK else 0.0

    def brief(self) -> str:
        """For a table: >= -3.0 points, strict."""
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {shown(self.limit, self.unit)}{'' if self.judge == 'value' else f', {self.judge}'}"

    def describe(self, interval: Interval | None) -> str:
        words = "at least" if self.at_least else "at most"
        by = "" if interval is None else f", {_ENDS[self.judge]}"
        return f"{words} {shown(self.limit, self.unit)}{by}"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One gate: `name` is its key, `rule` its sentence, `why` the reason of a refusal in words."""

    name: str
    rule: str
    verdict: Verdict
    measure: Measure
    bound: Bound | None = None
    why: str = ""

    @property
    def limit(self) -> float | None:
        return self.bound.limit if self.bound else None

    @property
    def unit(self) -> Unit:
        return self.bound.unit if self.bound else "share"

    @property
    def refuses(self) -> bool:
        return self.verdict in REFUSALS

    def to_json(self) -> dict[str, Any]:
        measure = self.measure
        return {
            "name": self.name,
            "rule": self.rule,
            "verdict": self.verdict,
            "value": rounded(measure.value),
            "interval": rounded_ends(measure.interval),
            "limit": rounded(self.limit),
            "unit": self.unit,
            "count": measure.count,
            "of": measure.of,
            "challenger": rounded(measure.challenger),
            "champion": rounded(measure.champion),
            "why": self.why,
        }


def rule_on(name: str, what: str, measure: Measure, bound: Bound) -> Ruling:
    """Compare a figure with its bound. `what` names the figure in the rule's sentence."""
    rule = f"{what} {bound.describe(measure.interval)}"
    judged = bound.judged(measure)
    if measure.missing or judged is None:
        why = measure.missing or "it is not defined on this val part"
        return Ruling(name, rule, "unmeasured", measure, bound, why)
    beyond = bound.misses_by(judged)
    if not beyond:
        return Ruling(name, rule, "pass", measure, bound)
    side = "below" if bound.at_least else "above"
    why = f"{shown(judged, bound.unit)} is {shown(beyond, bound.unit).lstrip('+')} {side} the limit"
    return Ruling(name, rule, "fail", measure, bound, why)


def shown(value: float | None, unit: Unit) -> str:
    """For people: 86.5%, +1.2 points, 13.0 per 1000, 41.2 ms."""
    return "–" if value is None else _number(value, unit) + _words(unit)


def between(interval: Interval | None, unit: Unit) -> str:
    """An interval for people: -1.2 to +0.4 points."""
    if interval is None:
        return "–"
    return " to ".join(_number(end, unit) for end in interval) + _words(unit)


def _number(value: float, unit: Unit) -> str:
    if unit in ("share", "points"):
        return f"{100 * value:.1f}" if unit == "share" else f"{100 * value:+.1f}"
    if unit in ("ratio", "score"):
        return f"{value:.2f}" if unit == "ratio" else f"{value:.2g}"
    return f"{value:+.1f}" if unit == "difference" else f"{value:.1f}"


def _words(unit: Unit) -> str:
    return {"share": "%", "ratio": " times", "score": "", "difference": " per 1000"}.get(unit, f" {unit}")
