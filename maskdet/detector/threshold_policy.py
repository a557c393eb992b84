"""The policy by which a model's thresholds were chosen, in words."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from maskdet.settings import Section

PolicyName = Literal["safe", "best-f1", "recall", "promise", "given", "override", "unknown"]

COMPARED: Final[tuple[PolicyName, ...]] = ("safe", "best-f1", "recall", "promise")
"""Those that choose on val; an evaluation compares them."""
_TEXTS: Final[dict[PolicyName, str]] = {
    "safe": "safe, the best mean F1 with at most {share} of bare faces wider than 16 px passed as masked",
    "best-f1": "best-f1, each class's best F1",
    "recall": "recall, the best mean F1 with at least {share} of each class's faces answered",
    "promise": "promise, the best mean F1 with at least {share} of the faces of each role wider than 16 px "
    "answered, few bare faces passed as masked and few false alarms",
    "given": "given, numbers from the pipeline file",
    "override": "override, given in place of the model's own",
    "unknown": "without a stated policy",
}


class ThresholdPolicy(Section):
    """How thresholds were chosen.

    safe, best-f1, recall and promise were chosen on val, given comes from the pipeline file, override is set
    by the operator or a request in place of the model's own; unknown: the model file does not say.
    """

    name: PolicyName = "unknown"
    parameter: float | None = Field(None, ge=0, le=1)
    """safe: largest share of bare faces passed; recall: least share of each class's faces answered;
    promise: least share of each role's faces answered."""

    def describe(self) -> str:
        """The name, and what it means."""
        share = "a share" if self.parameter is None else percentage(self.parameter)
        return _TEXTS[self.name].format(share=share)


BEST_F1: Final = ThresholdPolicy(name="best-f1")
OVERRIDE: Final = ThresholdPolicy(name="override")


def percentage(share: float) -> str:
    """With one decimal, unless it is zero."""
    return f"{100 * share:.1f}".removesuffix(".0") + "%"
