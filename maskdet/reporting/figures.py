"""The figures of an evaluation by name, each with its interval and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from maskdet.evaluation.metrics.registry import METRICS
from maskdet.evaluation.tables import ABSENT, percent

PER_THOUSAND: Final = "false_alarms_per_1000"
_PROMISE: Final = "promise."
_BOUNDS: Final = (".low", ".high", ".limit")
"""What a bundle states of each promise beside its value."""
_OVERALL: Final = ("ap50", "ap50_95", "ap50_any_class")
_OF_CLASS: Final = ("ap50", "ap50_95", "precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value: a share of 1, or a number per face or per thousand; `count` of `of` where it
    counts.
    """

    value: float
    interval: tuple[float, float] | None = None
    count: int | None = None
    of: int | None = None

    def to_json(self) -> dict[str, Any]:
        ends = None if self.interval is None else list(self.interval)
        return {"value": self.value, "interval": ends, "count": self.count, "of": self.of}


@dataclass(frozen=True, slots=True)
class Kind:
    """How the figures of a name are read: which value is the better one, if that is known, and its text."""

    better: Literal["higher", "lower"] | None
    text: Callable[[float], str] = percent


_UNKNOWN: Final = Kind(None)
_KINDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys((*_OVERALL, *_OF_CLASS, "recall_wide"), Kind("higher")),
    **{metric.name: Kind(metric.better) for metric in METRICS},
    "bare_passed": Kind("lower"),
    "bare_passed_wide": Kind("lower"),
    "bare_passed_any": Kind("lower"),
    "bare_passed_any_wide": Kind("lower"),
    "masked_as_bare": Kind("lower"),
    "worn_wrong_as_masked": Kind("lower"),
    "worn_wrong_as_bare": Kind("lower"),
    PER_THOUSAND: Kind("lower", "{:.0f}".format),
    "promise.answered": Kind("higher"),
    "promise.bare_passed": Kind("lower"),
    "promise.false_alarms": Kind("lower", "{:.3f}".format),
    "ece": Kind("lower"),
}


def kind_of(name: str) -> Kind:
    """By a figure's whole name, else by its beginning: `ap50.with_mask` is an `ap50`."""
    while name not in _KINDS and "." in name:
        name = name.rpartition(".")[0]
    return _KINDS.get(name, _UNKNOWN)


def figures_of(judged: Mapping[str, Any]) -> dict[str, Figure]:
    """The figures of a metrics.json, in its order: overall, safety, by class. Undefined ones are absent."""
    return {name: figure for name, figure in _all(judged) if figure is not None}


def stated_figures(metrics: Mapping[str, float]) -> dict[str, Figure]:
    """The figures in a bundle's metadata, named as in `figures_of`, without bounds and other policies.

    It holds neither intervals nor counts.
    """
    return {name: Figure(value) for name, value in metrics.items() if _is_figure(name)}


def _is_figure(name: str) -> bool:
    bound = name.startswith(_PROMISE) and name.endswith(_BOUNDS)
    return not bound and not name.startswith("policy.")


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
    """Per cent, or a plain number for a rate per face or per thousand."""
    return ABSENT if value is None else kind_of(name).text(value)


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
