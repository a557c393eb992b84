"""The `serve.capture` section of pipeline.yml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from typing_extensions import Self

from maskdet.settings import Section

Share = Annotated[float, Field(ge=0, le=1)]


class CaptureSettings(Section):
    """Which served pictures are kept for review, in the folder `serve.inbox`; by default none. EXIF and GPS
    data are never kept.
    """

    band: Share = 0
    """Capture a picture with a face whose score is this close to its threshold; 0: do not. Below the
    threshold, at most `serve.uncertain_band` counts."""
    uncertain: bool = False
    """Capture pictures whose verdict is `uncertain`."""
    second_model: str = ""
    """Name of a loaded model: capture a picture on which it disagrees with the one that answered."""
    mirror: bool = False
    """Capture a picture whose mirror image the model answers differently."""
    checks_per_minute: int = Field(30, ge=1, le=6000)
    """Pictures that `second_model` and `mirror` examine, in each worker, and only while no request waits."""
    random_share: Share = 0
    """Share of all pictures that is captured whatever the answer: a control for the other policies."""
    blur_others: bool = False
    """Whether all faces except the disputed ones are made unrecognisable before a picture is stored."""

    per_minute: int = Field(10, ge=1, le=10_000)
    """Most captures in any minute, by all workers together; restarts do not reset it."""
    per_hour: int = Field(60, ge=1, le=10_000)
    """Most captures in any hour."""
    per_day: int = Field(300, ge=1, le=10_000)
    """Most captures in any 24 hours."""
    max_pictures: int = Field(2_000, ge=1, le=100_000)
    """Most pictures that wait for a decision."""
    max_bytes: int = Field(1024**3, ge=1024)
    """Most bytes of pictures that wait for a decision."""
    max_days: float = Field(30, gt=0, le=3650)
    """Days after which a picture without a decision is removed. A skip, or undoing a decision, starts them
    anew."""

    @property
    def checks(self) -> bool:
        """Whether a policy needs a second pass."""
        return self.mirror or bool(self.second_model)

    @property
    def active(self) -> bool:
        return self.checks or self.uncertain or self.band > 0 or self.random_share > 0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.blur_others and self.random_share:
            raise ValueError(
                "blur_others would blur every face of the pictures of random_share: set one of them to 0"
            )
        return self
