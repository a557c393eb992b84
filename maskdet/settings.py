"""What every section of the pipeline file has in common: strict, frozen, typed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from maskdet.wording.names import PATTERN

Name = Annotated[str, StringConstraints(pattern=f"^{PATTERN}$")]
"""A key whose value is a name as `maskdet.wording.names` has them."""


class Section(BaseModel):
    """A section of pipeline.yml. Unknown keys are refused; each room defines its own sections."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)
