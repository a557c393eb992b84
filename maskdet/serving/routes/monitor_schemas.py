"""The options and the response of GET /v1/monitor; the OpenAPI document is generated from them."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from maskdet.drift.comparison import Drift
from maskdet.serving.routes.schemas import Schema

MOST_HOURS: Final = 24 * 366


class MonitorOptions(BaseModel):
    """What to show."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    hours: int = Field(24, ge=1, le=MOST_HOURS)
    """How far to look back; no further than the server keeps."""
    model: str = ""
    """Name of a loaded model; the default one if it is empty."""
    version: str = ""
    """The version whose features are compared; the one that answers if it is empty."""
    camera: str | None = None
    """Only pictures with this X-Camera; empty for those without one."""


class VerdictCounts(Schema):
    """Pictures by verdict."""

    ok: int
    violation: int
    uncertain: int


class HourBody(VerdictCounts):
    """One hour. `drift`: verdict by feature, of the version with most pictures in it."""

    start: int
    """Seconds since the epoch."""
    requests: int
    """With pictures, to any model and from any camera."""
    faults: int
    """Pictures without an answer, likewise."""
    drift: dict[str, Drift]


class VersionBody(VerdictCounts):
    """One version of the model."""

    version: str = Field(examples=["3f1c5d0a9b2e"])
    """First characters of the bundle's sha256."""
    since: float
    """When it first answered, in seconds since the epoch."""
    answering: bool
    reference: bool
    """Whether the bundle has a profile; without one there is nothing to compare with."""
    drift: Drift
    """The worst verdict over its features."""


class CameraBody(VerdictCounts):
    """One X-Camera of the version shown; empty for pictures without one."""

    camera: str
    drift: Drift


class FeatureBody(Schema):
    """One feature of the version shown, over all hours."""

    feature: str = Field(examples=["brightness"])
    psi: float | None
    chance: float | None
    """The PSI that no drift exceeds once in a thousand times."""
    samples: int
    """Pictures or faces that were seen."""
    reference: int
    """Pictures or faces on val."""
    least: int | None
    """Samples that a verdict needs; null if val itself has too few."""
    drift: Drift
    edges: list[float]
    """Of the bins: below the first edge, from each to the next, from the last one on. Empty for labels."""
    labels: list[str]
    seen: list[int]
    expected: list[int]


class SwapBody(Schema):
    """A version took over from another one."""

    at: float
    old: str
    new: str


class MonitorAnswer(Schema):
    """One model's history."""

    model: str
    models: list[str]
    version: str
    since: int
    until: float
    limit: float
    """PSI from which a feature has drifted."""
    kept: bool
    """Whether the counts survive a restart."""
    delay_seconds: float
    """How old other workers' counts may be."""
    hours: list[HourBody]
    versions: list[VersionBody]
    cameras: list[CameraBody]
    features: list[FeatureBody]
    swaps: list[SwapBody]
    own: VerdictCounts
    """Pictures of the version shown that its own thresholds decided."""
    val: VerdictCounts | None
    """The version's verdicts on val; null without a profile."""
