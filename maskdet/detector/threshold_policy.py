"""By which policy a model's thresholds were chosen, and what they cost, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from pydantic import Field

from maskdet.settings import Section

PolicyName = Literal["safe", "best-f1", "recall", "given", "override", "unknown"]

_TEXTS: Final[dict[PolicyName, str]] = {
    "safe": "safe, the best mean F1 with at most {share} of bare faces wider than 16 px passed as masked",
    "best-f1": "best-f1, each class's best F1",
    "recall": "recall, the best mean F1 with at least {share} of each class's faces answered",
    "given": "given, numbers from the pipeline file",
    "override": "override, given in place of the model's own",
    "unknown": "without a stated policy",
}


class ThresholdPolicy(Section):
    """How thresholds came about.

    safe, best-f1 and recall were chosen on val, given stood in the pipeline file, override is what the
    operator or a request wants instead of the model's own; unknown: the model file does not say.
    """

    name: PolicyName = "unknown"
    parameter: float | None = Field(None, ge=0, le=1)
    """safe: largest share of bare faces passed; recall: least share of each class's faces answered."""

    def describe(self) -> str:
        """The name, and what it means."""
        share = "a share" if self.parameter is None else percentage(self.parameter)
        return _TEXTS[self.name].format(share=share)


BEST_F1: Final = ThresholdPolicy(name="best-f1")
OVERRIDE: Final = ThresholdPolicy(name="override")


def describe_thresholds(policy: ThresholdPolicy, labels: Sequence[str], metrics: Mapping[str, float]) -> str:
    """A model's own policy, and the share of faces that are answered on val, as far as `metrics` say."""
    answered = own_recall(labels, metrics)
    if not answered:
        return f"{policy.describe()}; what they cost in recall is not stated"
    shares = ", ".join(f"{percentage(value)} of {label}" for label, value in answered.items())
    return f"{policy.describe()}; on val they answer {shares}"


def own_recall(labels: Sequence[str], metrics: Mapping[str, float]) -> dict[str, float]:
    """Recall on val at the model's own thresholds by label, of the labels that have one."""
    return {label: metrics[f"recall.{label}"] for label in labels if f"recall.{label}" in metrics}


def percentage(share: float) -> str:
    """With one decimal, if it is not zero."""
    return f"{100 * share:.1f}".removesuffix(".0") + "%"
