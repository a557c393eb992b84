"""A model's pictures by verdict: of each camera, version and day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from maskdet.drift.decision import Decision
from maskdet.drift.view import VerdictCounts
from maskdet.reporting.markup import Markup, table
from maskdet.reporting.sections.drift_words import moment, verdict
from maskdet.reporting.texts import say

_VERDICTS: Final = ("ok", "violation", "uncertain")


def cameras(decision: Decision) -> Markup:
    """Those that sent pictures to the version."""
    rows = (
        (each.camera or say("unnamed"), verdict(each.drift), *_cells(_counts(each)))
        for each in decision.view.cameras
    )
    return _table(("camera", "drift"), rows)


def versions(decision: Decision) -> Markup:
    """All that the model had."""
    rows = (
        (each.title, verdict(each.drift), moment(each.since), *_cells(_counts(each)))
        for each in decision.view.versions
    )
    return _table(("version", "drift", "first_answer"), rows)


def days(decision: Decision) -> Markup:
    """In UTC, over all versions."""
    sums: dict[str, Counter[str]] = {}
    for hour in decision.view.hours:
        sums.setdefault(moment(hour.start)[:10], Counter()).update(_counts(hour))
    return _table(("day",), ((day, *_cells(counts)) for day, counts in sorted(sums.items())))


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Markup:
    return table([*map(say, headings), *(say(f"verdict.{name}") for name in _VERDICTS)], rows)


def _counts(counts: VerdictCounts) -> dict[str, int]:
    return counts.model_dump(include=set(_VERDICTS))


def _cells(counts: Mapping[str, Any]) -> list[str]:
    return [str(counts[name]) for name in _VERDICTS]
