"""Markdown tables and shares as words, for the reports of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maskdet.evaluation.intervals import Interval

ABSENT = "–"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is words, the others are numbers."""
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join(map(_line, [headings, rule, *rows]))


def percent(share: float | None) -> str:
    """One decimal; a dash where the share is not defined."""
    return ABSENT if share is None else f"{share:.1%}"


def between(interval: Interval | None) -> str:
    """A space and the ends in brackets, or nothing."""
    return "" if interval is None else f" ({interval[0]:.1%} to {interval[1]:.1%})"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
