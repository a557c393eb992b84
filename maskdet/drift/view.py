"""One model's history as shown: by `GET /v1/monitor`, on the page, and in the page of `maskdet drift`."""

from __future__ import annotations

from pydantic import Field

from maskdet.drift.comparison import Drift, FeatureDrift
from maskdet.settings import Section


class VerdictCounts(Section):
    """Pictures by verdict."""

    ok: int
    violation: int
    uncertain: int


class HourView(VerdictCounts):
    """One hour. `drift`: by feature over the last 24 hours, of the version with most pictures in it."""

    start: int
    """Seconds since the epoch."""
    requests: int
    """With pictures, to any model and from any camera."""
    faults: int
    """Pictures without an answer, likewise."""
    drift: dict[str, Drift]


class VersionView(VerdictCounts):
    """One version of the model."""

    version: str = Field(examples=["3f1c5d0a9b2e"])
    """First characters of the bundle's sha256."""
    registered: str = Field("", examples=["face-mask@3"])
    """The version of the registry that it is; empty for a bundle from elsewhere."""
    alias: str = Field("", examples=["champion"])
    """The alias by which the server follows it; empty if there is none."""
    since: float
    """When it first answered, in seconds since the epoch."""
    answering: bool
    reference: bool
    """Whether the bundle has a profile; without one there is nothing to compare with."""
    drift: Drift
    """The worst verdict over its features."""

    @property
    def title(self) -> str:
        """All names that it has, for people."""
        return " · ".join(filter(None, (self.registered, self.alias, self.version)))


class CameraView(VerdictCounts):
    """One X-Camera of the version shown; empty for pictures without one."""

    camera: str
    drift: Drift


class FeatureView(Section):
    """One feature of the version shown, over all hours."""

    feature: str = Field(examples=["brightness"])
    psi: float | None
    chance: float | None
    """The PSI that is exceeded once in a thousand times without drift."""
    samples: int
    """Pictures or faces that were seen."""
    reference: int
    """Pictures or faces on val."""
    least: int | None
    """Samples that a verdict needs; null if val itself has too few."""
    drift: Drift
    edges: tuple[float, ...]
    """Of the bins: below the first edge, from each to the next, from the last one on. Empty for labels."""
    labels: tuple[str, ...]
    seen: tuple[int, ...]
    expected: tuple[int, ...]

    def against(self, limit: float) -> FeatureDrift:
        """The comparison by another limit; `least` is still that of the limit it was made with."""
        return FeatureDrift(
            self.feature, self.psi, self.chance, self.samples, self.reference, self.least, limit
        )


class SwapView(Section):
    """A version took over from another one."""

    at: float
    old: str
    new: str


class View(Section):
    """One model's history."""

    model: str
    models: tuple[str, ...]
    version: str
    since: int
    until: float
    limit: float
    """PSI from which a feature has drifted."""
    kept: bool
    """Whether the counts survive a restart."""
    delay_seconds: float
    """How old other workers' counts may be."""
    hours: tuple[HourView, ...]
    versions: tuple[VersionView, ...]
    cameras: tuple[CameraView, ...]
    features: tuple[FeatureView, ...]
    swaps: tuple[SwapView, ...]
    own: VerdictCounts
    """Pictures of the version shown that its own thresholds decided."""
    val: VerdictCounts | None
    """The version's verdicts on val; null without a profile."""
