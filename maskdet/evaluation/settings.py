"""The `eval` section of pipeline.yml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from maskdet.detector.roles import Role
from maskdet.settings import Section

Score = Annotated[float, Field(ge=0, le=1)]


class EvalSettings(Section):
    """How a model is judged on val."""

    threshold: Score | Literal["best-f1", "safe"] | dict[str, Score] = "best-f1"
    """Score from which a detection counts: 0..1 for all classes, or by label (others get their best F1);
    best-f1: each class's best on val; safe: the best mean F1 with at most max_bare_passed."""
    max_bare_passed: float = Field(0.02, ge=0, le=1)
    """For threshold safe: share of bare faces wider than 16 px at network scale that may pass as masked."""
    roles: dict[str, Role] = Field(default_factory=dict)
    """What a label says of a face, where its name does not tell: masked, bare or worn-wrong."""
    batch_size: int = Field(8, ge=1)
    """Pictures in work at a time when a checkpoint is judged, over all cores; less needs less memory."""
