"""The `drift` section of pipeline.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import Field

from maskdet.settings import Section

LIMIT: Final = 0.25
"""A large change, by Siddiqi's rule."""


class DriftSettings(Section):
    """When `maskdet drift` says that retraining is due."""

    psi: float = Field(LIMIT, gt=0)
    """Population stability index of a feature from which it has drifted; 0.25 is a large change."""
    uncertain_rise: float = Field(0.15, gt=0, le=1)
    """How much larger the share of uncertain verdicts may be than on val, as a difference of two shares."""
    since: str = Field("7d", pattern=r"^[1-9][0-9]{0,4}[hd]$")
    """The time looked back on: hours or days, such as 24h or 7d."""
    inbox: Path | None = None
    """Folder of reviewed pictures to count; without it, serve.inbox."""
    inbox_pictures: int | None = Field(None, ge=1)
    """How many newly labelled pictures make retraining due; without it they are not counted."""

    @property
    def hours(self) -> int:
        """`since` in hours."""
        return int(self.since[:-1]) * (24 if self.since.endswith("d") else 1)
