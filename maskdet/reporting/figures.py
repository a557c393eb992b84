"""The figures of an evaluation by name, each with its interval and counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from maskdet.evaluation.tables import ABSENT, percent

PER_THOUSAND: Final = "false_alarms_per_1000"
_OVERALL: Final = ("ap50", "ap50_95", "ap50_any_class")
_OF_CLASS: Final = ("ap50", "ap50_95", "precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value: a share of 1, or a number per thousand faces; `count` of `of` where it counts."""

    value: float
    interval: tuple[float, float] | None = None
    count: int | None = None
    of: int | None = None

    def to_json(self) -> dict[str, Any]:
        ends = None if self.interval is None else list(self.interval)
        return {"value": self.value, "interval": ends, "count": self.count, "of": self.of}


def figures_of(judged: Mapping[str, Any]) -> dict[str, Figure]:
    """The figures of a metrics.json, in its order: overall, safety, by class. Undefined ones are absent."""
    return {name: figure for name, figure in _all(judged) if figure is not None}


def bundle_figures(metrics: Mapping[str, float]) -> dict[str, Figure]:
    """The figures in a bundle's metadata; it holds neither intervals nor counts."""
    return {name: Figure(value) for name, value in metrics.items() if not name.startswith("policy.")}


def figure_text(name: str, figure: Figure | None) -> str:
    """Value, interval and counts in words that need no language."""
    if figure is None:
        return ABSENT
    shown = [value_text(name, figure.value)]
    if figure.interval is not None:
        shown.append(f"({interval_text(name, figure.interval)})")
    if figure.count is not None:
        shown.append(f"{figure.count}/{figure.of}")
    return " ".join(shown)


def value_text(name: str, value: float | None) -> str:
    """Per cent, or a plain number for a rate per thousand."""
    if value is None:
        return ABSENT
    return f"{value:.0f}" if name == PER_THOUSAND else percent(value)


def interval_text(name: str, interval: tuple[float, float]) -> str:
    """Both ends."""
    return " – ".join(value_text(name, end) for end in interval)


def _all(judged: Mapping[str, Any]) -> Iterator[tuple[str, Figure | None]]:
    for name in _OVERALL:
        yield name, _plain(judged, name)
    for name, rate in judged.get("safety", {}).items():
        if name != "roles":
            yield name, _rate(rate)
    for label, each in judged["classes"].items():
        for name in _OF_CLASS:
            yield f"{name}.{label}", _plain(each, name)


def _plain(figures: Mapping[str, Any], name: str) -> Figure | None:
    value = figures.get(name)
    return None if value is None else Figure(value, _ends(figures.get(f"{name}_interval")))


def _rate(rate: Mapping[str, Any]) -> Figure | None:
    if rate["value"] is None:
        return None
    return Figure(rate["value"], _ends(rate["interval"]), rate["count"], rate["of"])


def _ends(interval: list[float] | None) -> tuple[float, float] | None:
    return None if interval is None else (interval[0], interval[1])
