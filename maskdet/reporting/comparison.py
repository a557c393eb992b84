"""Any number of runs side by side: the figures, and the settings that differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from maskdet.evaluation.tables import ABSENT
from maskdet.reporting.figures import Figure, figure_text, kind_of
from maskdet.reporting.markup import Markup, element, joined, table
from maskdet.reporting.page import document
from maskdet.reporting.texts import TEXTS, say

_MOST_LETTERS: Final = 48
"""Of a setting in a terminal's table."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One side of a comparison. settings: by dotted key; val: identifies its val pictures, "" if unknown."""

    name: str
    figures: Mapping[str, Figure]
    settings: Mapping[str, Any]
    val: str
    tells_all: bool = True
    """Whether a setting that it lacks is unset, and not merely unknown."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The contenders in the order given."""

    contenders: Sequence[Contender]

    @property
    def same_val(self) -> bool:
        """Whether all were evaluated on the same labelled pictures, as far as is known."""
        return len({each.val for each in self.contenders if each.val}) <= 1

    @property
    def names(self) -> list[str]:
        """The figures that any of them has, in the order of the first that has it."""
        return list(dict.fromkeys(name for each in self.contenders for name in each.figures))

    def differing(self) -> dict[str, list[Any]]:
        """By setting, its value in each; None where it is not set or not known."""
        names = sorted({name for each in self.contenders for name in each.settings})
        return {
            name: [each.settings.get(name) for each in self.contenders]
            for name in names
            if self._differs(name)
        }

    def best(self, name: str) -> set[int]:
        """Places of the best values; none if the values cannot be compared or are all the same."""
        values = [each.figures[name].value if name in each.figures else None for each in self.contenders]
        known = [value for value in values if value is not None]
        better = kind_of(name).better
        if better is None or not self.same_val or len(set(known)) < 2:
            return set()
        best = min(known) if better == "lower" else max(known)
        return {place for place, value in enumerate(values) if value == best}

    def _differs(self, name: str) -> bool:
        told = [
            each.settings.get(name) for each in self.contenders if each.tells_all or name in each.settings
        ]
        return any(value != told[0] for value in told)

    def to_json(self) -> dict[str, Any]:
        return {
            "same_val": self.same_val,
            "runs": {
                each.name: {name: figure.to_json() for name, figure in each.figures.items()}
                for each in self.contenders
            },
            "settings": {
                name: dict(zip((each.name for each in self.contenders), values, strict=True))
                for name, values in self.differing().items()
            },
        }


def figure_rows(comparison: Comparison) -> Iterator[list[str]]:
    """For a terminal: a figure's name, then each contender's; the best has a star."""
    for name in comparison.names:
        best = comparison.best(name)
        yield [
            name,
            *(
                figure_text(name, each.figures.get(name)) + (" *" if place in best else "")
                for place, each in enumerate(comparison.contenders)
            ),
        ]


def setting_rows(comparison: Comparison) -> Iterator[list[str]]:
    """For a terminal: a setting's key, then each contender's value, shortened."""
    for name, values in comparison.differing().items():
        texts = map(setting_text, values)
        yield [
            name,
            *(text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…" for text in texts),
        ]


def setting_text(value: Any) -> str:
    """As it would be written in the pipeline file."""
    if value is None:
        return ABSENT
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def comparison_page(comparison: Comparison) -> str:
    """The comparison as a self-contained HTML page."""
    warning = [] if comparison.same_val else [element("p", say("other_val"), class_="verdict fail")]
    names = [each.name for each in comparison.contenders]
    figures = joined(
        [
            *warning,
            element("p", say("measured_on"), class_="quiet"),
            table([say("measure"), *names], (_page_row(comparison, name) for name in comparison.names)),
        ]
    )
    settings = table(
        [say("setting"), *names],
        ([name, *map(_code, values)] for name, values in comparison.differing().items()),
    )
    differing = settings if comparison.differing() else element("p", say("same_settings"))
    return document(
        " / ".join(names), [("metrics", figures), ("differing", element("div", differing, class_="text"))]
    )


def _page_row(comparison: Comparison, name: str) -> Iterator[str]:
    overall, _, label = name.partition(".")
    known = overall in TEXTS
    yield joined([say(overall), f" {label}"]) if known else name
    best = comparison.best(name)
    for place, each in enumerate(comparison.contenders):
        text = figure_text(name, each.figures.get(name))
        yield element("strong", text, class_="mark") if place in best else text


def _code(value: Any) -> Markup:
    return element("code", setting_text(value))
