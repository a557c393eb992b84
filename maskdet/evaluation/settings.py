"""The `eval` section of pipeline.yml."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from maskdet.settings import Section

Score = Annotated[float, Field(ge=0, le=1)]

PARAMETERS: Final = {"safe": "max_bare_passed", "recall": "min_recall"}
"""The key that holds the limit of each policy that has one."""


class EvalSettings(Section):
    """How a model is evaluated on val."""

    threshold: Score | Literal["best-f1", "safe", "recall"] | dict[str, Score] = "best-f1"
    """Lowest score that counts: 0..1 for all classes, or by label (others get their best F1); best-f1: each
    class's best on val; safe: the best mean F1 with at most max_bare_passed, which leaves more faces
    unanswered; recall: the best mean F1 with at least min_recall, which gives more false alarms. The eval
    report shows what each costs."""
    max_bare_passed: float = Field(0.02, ge=0, le=1)
    """For threshold safe: share of bare faces wider than 16 px at network scale that may pass as masked."""
    min_recall: float = Field(0.9, ge=0, le=1)
    """For threshold recall: share of each class's faces on val that must be answered."""
    batch_size: int = Field(8, ge=1)
    """Pictures processed at a time when a checkpoint is evaluated, over all cores; less needs less memory."""
