"""What each threshold policy chooses on val, and what it costs."""

from __future__ import annotations

from maskdet.artefacts import Document
from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.reporting.figures import PER_THOUSAND, Figure, figure_text
from maskdet.reporting.markup import Markup, element, joined, table
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.texts import policy_name, say

_RATES = ("bare_passed", "bare_passed_wide", PER_THOUSAND)


def thresholds(run: RunFiles) -> Markup | None:
    """A row a policy; the one in force is marked."""
    judged = run.judged
    if judged is None or not judged.get("policies"):
        return None
    labels = list(judged["classes"])
    rates = [name for name in _RATES if any(name in each for each in judged["policies"])]
    headings = (
        say("policy"),
        *(say("threshold_of", label=label) for label in labels),
        *(say("recall_of", label=label) for label in labels),
        *map(say, rates),
    )
    return table(headings, (_row(each, labels, rates) for each in judged["policies"]))


def _row(each: Document, labels: list[str], rates: list[str]) -> tuple[str, ...]:
    name: str = policy_name(ThresholdPolicy.model_validate(each["policy"]))
    if each["in_force"]:
        name = joined([name, " ", element("strong", say("in_force"), class_="mark")])
    if not each["classes"]:
        name = joined([name, ": ", say("undecided")])
    classes = [each["classes"].get(label) for label in labels]
    return (
        name,
        *("–" if one is None else f"{one['threshold']:.3f}" for one in classes),
        *(figure_text("recall", None if one is None else _figure(one["recall"])) for one in classes),
        *(figure_text(rate, _figure(each.get(rate))) for rate in rates),
    )


def _figure(rate: Document | None) -> Figure | None:
    if rate is None or rate["value"] is None:
        return None
    return Figure(rate["value"], None, rate["count"], rate["of"])
