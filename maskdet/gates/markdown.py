"""The report of the gates in Markdown, and its rows for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from maskdet.evaluation.tables import ABSENT
from maskdet.gates.deciding import Deciding
from maskdet.gates.report import Contestant, GateReport
from maskdet.gates.ruling import between, shown
from maskdet.wording.markdown import table

HEADINGS: Final = ("verdict", "gate", "value", "95 % interval", "must be", "counted on")
_NAMED: Final = 10
"""Left-out pictures named in the text; gates.json has all."""


def gate_rows(report: GateReport) -> Iterator[tuple[str, ...]]:
    """A row for each rule, under HEADINGS."""
    for ruling in report.rulings:
        measure, unit = ruling.measure, ruling.unit
        counted = f"{measure.count} {measure.of}" if measure.of else ABSENT
        limit = ruling.bound.brief() if ruling.bound else ABSENT
        value, ends = shown(measure.value, unit), between(measure.interval, unit)
        yield ruling.verdict, ruling.name, value, ends, limit, counted


def conclusion(report: GateReport) -> str:
    """One sentence."""
    against = f" against {report.champion.name}" if report.champion else ""
    if report.passed:
        return f"{report.challenger.name} passes {len(report.rulings)} gates{against}."
    refused = f"{len(report.refusals)} of {len(report.rulings)} gates"
    return f"{report.challenger.name} is refused by {refused}{against}."


def markdown_report(report: GateReport) -> str:
    """Conclusion, reasons, the table of all rules, what was left out, and the deciding pictures."""
    blocks = [
        "# Gates",
        f"**{conclusion(report)}** Compared on {report.pictures} pictures of val with {report.faces} faces.",
        "\n".join(f"- {line}" for line in report.reasons()),
        table(HEADINGS, gate_rows(report)),
        _models(report),
        "\n".join(f"- {note}" for note in (*report.notes, *_left_out(report))),
        *_deciding("Worst regressions", report.regressions),
        *_deciding("Best gains", report.gains),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _models(report: GateReport) -> str:
    sides = [
        ("challenger", report.challenger),
        *((("champion", report.champion),) if report.champion else ()),
    ]
    names = list(dict.fromkeys(name for _, side in sides for name in side.figures))
    rows = [[name, *(_figure(side, name) for _, side in sides)] for name in names]
    return table(("figure", *(f"{role} {side.name}" for role, side in sides)), rows)


def _figure(side: Contestant, name: str) -> str:
    return f"{side.figures[name]:.4f}" if name in side.figures else ABSENT


def _left_out(report: GateReport) -> Iterator[str]:
    for each in report.left_out[:_NAMED]:
        yield f"left out: {each.picture}: the {each.who} {each.why}"
    if len(report.left_out) > _NAMED:
        yield f"left out: and {len(report.left_out) - _NAMED} more"


def _deciding(title: str, pictures: Sequence[Deciding]) -> Iterator[str]:
    if not pictures:
        return
    yield f"## {title}"
    headings = ("picture", "champion's mistakes", "challenger's mistakes", "effect on AP50")
    yield table(
        headings,
        (
            [
                each.picture,
                str(each.champion.mistakes),
                str(each.challenger.mistakes),
                f"{100 * each.ap50_effect:+.2f} points",
            ]
            for each in pictures
        ),
    )
