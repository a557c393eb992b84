"""The policies compared in Markdown: what each choice of thresholds gains, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from maskdet.detector.threshold_policy import ThresholdPolicy, percentage
from maskdet.evaluation.policies.cost import PolicyCost
from maskdet.evaluation.result import Evaluation, ThresholdSource
from maskdet.evaluation.safety import WIDE, Rate
from maskdet.evaluation.tables import ABSENT, percent
from maskdet.wording.markdown import table

_HEADINGS: Final = (
    "policy",
    "class",
    "threshold",
    "recall",
    f"recall, wider than {WIDE:.0f} px",
    "precision",
    "false alarms per 1000 faces",
    "bare faces passed as masked",
)
_SOURCES: Final[dict[ThresholdSource, str]] = {
    "val": "chosen on this val part",
    "pipeline file": "given in the pipeline file",
    "model file": "those inside the model file",
}


def policy_blocks(evaluation: Evaluation) -> Iterator[str]:
    """Paragraphs and a table; nothing for an evaluation without an appraisal."""
    if not evaluation.policies:
        return
    yield "## Thresholds"
    yield (
        f"In force: {evaluation.policy.describe()} ({_SOURCES[evaluation.source]}). Recall is the share of "
        "labelled faces that get their own label in the answer; the others are missing or mixed up."
    )
    yield table(_HEADINGS, (row for each in evaluation.policies for row in _rows(each)))
    yield "\n".join(
        f"- {policy_word(each.policy)}: {note}"
        for each in evaluation.policies
        for note in each.notes
        if note not in evaluation.notes
    )


def policy_word(policy: ThresholdPolicy) -> str:
    """Name and parameter, such as `safe 2%`."""
    return policy.name if policy.parameter is None else f"{policy.name} {percentage(policy.parameter)}"


def _rows(each: PolicyCost) -> Iterator[list[str]]:
    name = f"**{policy_word(each.policy)}, in force**" if each.in_force else policy_word(each.policy)
    if each.false_alarms is None:
        yield [name, *[ABSENT] * (len(_HEADINGS) - 1)]
        return
    alarms = ABSENT if each.false_alarms.value is None else f"{each.false_alarms.value:.0f}"
    whole = [alarms, _count(each.bare_passed)]
    for label, one in each.classes.items():
        shares = [_share(one.recall), _share(one.recall_wide), percent(one.precision)]
        yield [name, label, f"{one.threshold:.3f}", *shares, *whole]
        # Figures of the policy as a whole are in its first row.
        name, whole = "", ["", ""]


def _share(rate: Rate) -> str:
    return f"{percent(rate.value)} ({_count(rate)})" if rate.of else ABSENT


def _count(rate: Rate | None) -> str:
    return ABSENT if rate is None or not rate.of else f"{rate.count} of {rate.of}"
