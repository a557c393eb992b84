"""Shares as words, for the reports of an evaluation."""

from __future__ import annotations

from maskdet.evaluation.intervals import Interval

ABSENT = "–"


def percent(share: float | None) -> str:
    """One decimal; a dash where the share is not defined."""
    return ABSENT if share is None else f"{share:.1%}"


def between(interval: Interval | None) -> str:
    """A space and the ends in brackets, or nothing."""
    return "" if interval is None else f" ({interval[0]:.1%} to {interval[1]:.1%})"
