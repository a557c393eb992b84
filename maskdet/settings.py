"""What every section of the pipeline file has in common: strict, frozen, typed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from maskdet.names import PATTERN

Name = Annotated[str, StringConstraints(pattern=f"^{PATTERN}$")]
"""A key whose value is a name as `maskdet.names` has them."""


class Section(BaseModel):
    """A section of pipeline.yml. Unknown keys are refused; each room defines its own sections."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most likely meant by a misspelt one, by difflib's ratio, or None."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None
