"""What every section of the pipeline file has in common: strict, frozen, typed."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of pipeline.yml. Unknown keys are refused; each room defines its own sections."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
