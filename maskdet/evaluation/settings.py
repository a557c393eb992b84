"""The `eval` section of pipeline.yml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from maskdet.settings import Section


class EvalSettings(Section):
    """How a model is judged on val."""

    threshold: Annotated[float, Field(ge=0, le=1)] | Literal["best-f1"] = "best-f1"
    """Score from which a detection counts: 0..1 for all classes, or each class's best F1 on val."""
    batch_size: int = Field(8, ge=1)
    """Pictures a forward pass."""
