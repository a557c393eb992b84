"""The gates: each rule with its value, limit, count and verdict."""

from __future__ import annotations

from maskdet.artefacts import Document
from maskdet.evaluation.tables import ABSENT
from maskdet.gates.ruling import REFUSALS, Unit, shown
from maskdet.reporting.markup import Markup, element, joined, table
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.texts import say, word

_HEADINGS = ("gate", "verdict", "champion", "challenger", "value", "of_95", "limit", "counted_on", "why")


def gates(run: RunFiles) -> Markup | None:
    """A row a rule."""
    told = run.gates
    if told is None:
        return None
    refusing = sum(rule["verdict"] in REFUSALS for rule in told["rules"])
    of = str(len(told["rules"]))
    verdict = say("gates_refused", count=str(refusing), of=of) if refusing else say("gates_passed", count=of)
    compared = say(
        "gates_on",
        pictures=str(told["pictures"]),
        faces=str(told["faces"]),
        left_out=str(len(told["left_out"])),
    )
    notes = [element("li", note, lang="en") for note in told["notes"]]
    headings = ("95 %" if name == "of_95" else say(name) for name in _HEADINGS)
    return joined(
        [
            element("p", verdict, class_=f"verdict {'fail' if refusing else 'pass'}"),
            element("p", compared, class_="quiet"),
            *([element("ul", *notes)] if notes else []),
            element("div", table(headings, map(_row, told["rules"])), class_="text"),
        ]
    )


def _row(rule: Document) -> tuple[str, ...]:
    unit: Unit = rule["unit"]
    style = "fail" if rule["verdict"] in REFUSALS else "pass"
    level = {"points": "share", "difference": "per 1000"}.get(unit, str(unit))
    ends = rule["interval"]
    return (
        rule["name"],
        element("span", word(rule["verdict"]), class_=style),
        *(_level(rule[who], level) for who in ("champion", "challenger")),
        shown(rule["value"], unit),
        ABSENT if ends is None else " – ".join(shown(end, unit) for end in ends),
        shown(rule["limit"], unit),
        f"{rule['count']} {rule['of']}" if rule["of"] else ABSENT,
        element("span", rule["why"], lang="en"),
    )


def _level(value: float | None, unit: str | None) -> str:
    if value is None:
        return ABSENT
    return f"{value:.1%}" if unit == "share" else f"{value:.1f}"
