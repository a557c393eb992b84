"""Whether retraining is due: the verdict, and each rule behind it."""

from __future__ import annotations

from maskdet.drift.decision import Decision, Rule, Ruling
from maskdet.evaluation.tables import ABSENT
from maskdet.reporting.markup import Markup, element, joined, table
from maskdet.reporting.sections.drift_words import feature_name, moment
from maskdet.reporting.texts import say

_STYLES: dict[Ruling, str] = {"ok": "pass", "due": "fail", "too few": "quiet"}
_HEADINGS = ("rule", "verdict", "value", "limit", "counted_on", "why")


def rules(decision: Decision) -> Markup:
    """The rules that are due, those that decide nothing, and a row each."""
    view, due, few = decision.view, decision.named("due"), decision.named("too few")
    verdict = say("retraining_due", rules=", ".join(due)) if due else say("retraining_not_due")
    return joined(
        [
            element("p", verdict, class_=f"verdict {'fail' if due else 'pass'}"),
            *([element("p", say("retraining_open", rules=", ".join(few)))] if few else []),
            element(
                "p", say("looked_back", since=moment(view.since), until=moment(view.until)), class_="quiet"
            ),
            element("div", table(map(say, _HEADINGS), map(_row, decision.rules)), class_="text"),
        ]
    )


def _row(rule: Rule) -> tuple[str, ...]:
    return (
        joined([_meaning(rule.name), element("br"), element("code", rule.name)]),
        element("span", say(f"ruling.{rule.verdict}"), class_=_STYLES[rule.verdict]),
        ABSENT if rule.value is None else f"{rule.value:.3g}",
        f"{rule.limit:g}",
        str(rule.count),
        say(f"reason.{rule.why.key}", **rule.why.values),
    )


def _meaning(name: str) -> Markup | str:
    kind, _, feature = name.partition(".")
    if kind != "psi":
        return say(f"rule.{kind}")
    return feature_name(feature) if feature else say("rule.psi")
