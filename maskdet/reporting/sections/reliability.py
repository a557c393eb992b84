"""Whether scores are probabilities: the share that is right by score, and the error before and after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from maskdet.artefacts import Document
from maskdet.evaluation.calibration.reliability import SEEN_FROM
from maskdet.reporting.chart import Axis, Line, line_chart, line_of
from maskdet.reporting.markup import Markup, element, joined, table
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.texts import say

_HEADINGS: Final = (
    "scores_of",
    "detections_before",
    "error_before",
    "detections_after",
    "error_after",
    "by_chance",
)
_ABSENT: Final = "–"


def reliability(run: RunFiles) -> Markup | None:
    """The chart of all scores, and a row each for all, every class and every collection."""
    told = (run.judged or {}).get("calibration")
    if not told:
        return None
    after = dict(_rows(told["after"])) if told["after"] else {}
    return joined(
        [
            element("p", _state(told), " ", say("reliability_note", low=f"{SEEN_FROM:g}"), class_="quiet"),
            element("div", _chart(told), class_="charts"),
            table(map(say, _HEADINGS), (_row(*row, after.get(row[0])) for row in _rows(told["before"]))),
        ]
    )


def _state(told: Document) -> Markup:
    if told["in_force"]:
        return say("calibrated_with", temperature=f"{told['temperature']:.3f}")
    return say("calibrated_in_file" if told["built_in"] else "uncalibrated")


def _chart(told: Document) -> Markup:
    known = [(name, told[name]) for name in ("before", "after") if told[name]]
    lines = [Line(say("perfect"), [(0.0, 0.0), (1.0, 1.0)], dash="2 4")]
    for number, (name, each) in enumerate(known):
        colour, dash = line_of(number)
        points = [(one["score"], one["right"]) for one in each["bins"]]
        lines.append(Line(say(name), points, colour, dash, points))
    return line_chart(say("right_by_score"), lines, Axis(say("score")), Axis(say("share_right")))


def _rows(told: Document) -> Iterator[tuple[str, Document]]:
    yield "everything", told
    yield from told["classes"].items()
    yield from told.get("collections", {}).items()


def _row(name: str, before: Document, after: Document | None) -> tuple[str, ...]:
    cells = [str(before["detections"]), _error(before["ece"])]
    if after is not None:
        cells += [str(after["detections"]), _error(after["ece"]), _error(after["ece_chance"])]
    return (say(name) if name == "everything" else name, *cells, *[_ABSENT] * (5 - len(cells)))


def _error(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:.3f}"
