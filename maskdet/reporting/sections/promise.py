"""What the thresholds in force promise: each figure with its interval, its limit and whether it is kept."""

from __future__ import annotations

from maskdet.artefacts import Document
from maskdet.reporting.figures import Figure, figure_text, value_text
from maskdet.reporting.markup import Markup, element, joined, table
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.texts import say

_HEADINGS = ("measure", "limit", "value", "kept")
_CLASSES = {"broken": "fail", "proved": "pass"}
"""What val cannot prove is neither."""


def promise(run: RunFiles) -> Markup | None:
    """A row a term."""
    told = (run.judged or {}).get("promise")
    if not told:
        return None
    counted = say("promise_held_out" if told["held_out"] else "promise_in_force")
    note = element("p", counted, " ", say("promise_note"), class_="quiet")
    return joined([note, table(map(say, _HEADINGS), (_row(*each) for each in told["terms"].items()))])


def _row(name: str, term: Document) -> tuple[str, ...]:
    figure_name, bound = f"promise.{name}", "at_most" if "at_most" in term else "at_least"
    ends = term["interval"]
    figure = Figure(term["value"] or 0.0, ends and (ends[0], ends[1]), term["count"], term["of"])
    return (
        say(figure_name),
        say(bound, limit=value_text(figure_name, term[bound])),
        figure_text(figure_name, None if term["value"] is None else figure),
        _verdict(term),
    )


def _verdict(term: Document) -> Markup | str:
    if term["kept"] is None:
        return "–"
    state = "broken" if not term["kept"] else "proved" if term["proved"] else "kept_unproved"
    return element("span", say(state), class_=_CLASSES.get(state))
