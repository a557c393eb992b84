"""The promise of an evaluation: bare faces passed, faces answered and false alarms, against their limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from maskdet.evaluation.rounding import rounded
from maskdet.evaluation.safety import WIDE, Rate

_WIDER: Final = f"wider than {WIDE:.0f} px"


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a promise. key: the setting of the `limit`, at most if `upper`, else at least; text: what
    the rate counts.
    """

    name: str
    text: str
    key: str
    limit: float
    upper: bool
    rate: Rate

    @property
    def kept(self) -> bool | None:
        """Whether the rate is within its limit; None if there is nothing to count."""
        return None if self.rate.value is None else self._within(self.rate.value)

    @property
    def proved(self) -> bool:
        """Whether the whole 95 % interval is within the limit.

        One of no width, such as a bootstrap over pictures that are all alike, proves nothing.
        """
        ends = self.rate.interval
        return ends is not None and ends[0] < ends[1] and self._within(ends[1] if self.upper else ends[0])

    def _within(self, value: float) -> bool:
        return value <= self.limit if self.upper else value >= self.limit

    def to_json(self) -> dict[str, Any]:
        bound = "at_most" if self.upper else "at_least"
        states = {"kept": self.kept, "proved": self.proved}
        return {"key": self.key, bound: rounded(self.limit), **self.rate.to_json(), **states}


@dataclass(frozen=True, slots=True)
class Promise:
    """held_out: whether the thresholds of a picture were chosen without it, as its scores were calibrated."""

    terms: tuple[Term, ...]
    held_out: bool

    @property
    def notes(self) -> Iterator[str]:
        """What is not kept, or cannot be proved, in words, with the key that decides it."""
        for term in self.terms:
            bound = f"{term.key} {'allows' if term.upper else 'wants'} {term.limit:.4g}"
            if term.kept is False:
                yield f"not kept: {term.text}: {term.rate.count} of {term.rate.of}, and {bound}"
            elif term.kept and not term.proved:
                yield f"kept, but val is too small to prove it: {term.text}; {bound}"

    def to_json(self) -> dict[str, Any]:
        return {
            "held_out": self.held_out,
            "kept": all(term.kept is not False for term in self.terms),
            "terms": {term.name: term.to_json() for term in self.terms},
        }


def bare_term(rate: Rate, limit: float) -> Term:
    text = f"bare faces {_WIDER} passed as masked"
    return Term("bare_passed", text, "eval.max_bare_passed", limit, upper=True, rate=rate)


def answered_term(role: str, rate: Rate, limit: float) -> Term:
    text = f"{role} faces {_WIDER} answered as {role}"
    return Term(f"answered.{role}", text, "eval.min_answered", limit, upper=False, rate=rate)


def alarms_term(rate: Rate, limit: float) -> Term:
    return Term(
        "false_alarms", "false alarms per face", "eval.max_false_alarms", limit, upper=True, rate=rate
    )
