"""The first look: the figures that decide, with their intervals."""

from __future__ import annotations

from typing import Final

from maskdet.reporting.figures import Figure, figures_of, value_text
from maskdet.reporting.markup import Markup, element
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.texts import say

_SHOWN: Final = ("ap50", "ap50_95", "bare_passed", "bare_passed_wide", "false_alarms_per_1000")


def summary(run: RunFiles) -> Markup | None:
    """A card a figure."""
    judged = run.judged
    if judged is None:
        return None
    figures = figures_of(judged)
    cards = [_card(name, figures[name]) for name in _SHOWN if name in figures]
    return element("dl", *cards, class_="cards")


def _card(name: str, figure: Figure) -> Markup:
    notes = []
    if figure.interval is not None:
        low, high = (value_text(name, end) for end in figure.interval)
        notes.append(element("dd", say("of_interval", low=low, high=high), class_="quiet"))
    if figure.count is not None:
        notes.append(
            element("dd", say("of_count", count=str(figure.count), of=str(figure.of)), class_="quiet")
        )
    value = element("dd", value_text(name, figure.value), class_="large")
    return element("div", element("dt", say(name)), value, *notes)
