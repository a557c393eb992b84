"""Some hours of service: who saw what, which versions took over, and what has drifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from maskdet.drift.comparison import Drift, FeatureDrift, compare
from maskdet.drift.hour import Hour, Start, hour_of
from maskdet.drift.tally import Tally
from maskdet.drift.version import Version


class Swap(NamedTuple):
    """A model's version took over from another one. at: seconds since the epoch."""

    at: float
    model: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class History:
    """hours: the range looked back on; until: seconds since the epoch; found: the hours with anything in
    them.
    """

    hours: range
    until: float
    versions: Mapping[str, Version]
    found: Mapping[int, Hour]

    def knows(self, model: str, version: str) -> bool:
        """Whether the model has had this version."""
        return version in self.versions and self.versions[version].model == model

    def tally(self, version: str, *, camera: str | None = None, hour: int | None = None) -> Tally:
        """The sum of a version's counts, of all or of one camera and hour."""
        total = Tally(self.versions[version].bins)
        for hour_seen in self.found.values() if hour is None else filter(None, [self.found.get(hour)]):
            for key, tally in hour_seen.tallies.items():
                if key.version == version and camera in (None, key.camera):
                    total.merge(tally)
        return total

    def drift(
        self, version: str, limit: float, *, camera: str | None = None, hour: int | None = None
    ) -> list[FeatureDrift]:
        """By feature; nothing for a version without a profile."""
        profile = self.versions[version].profile
        return (
            [] if profile is None else compare(profile, self.tally(version, camera=camera, hour=hour), limit)
        )

    def used(self) -> list[str]:
        """The versions that answered pictures, the latest last."""
        last = {key.version: hour for hour in sorted(self.found) for key in self.found[hour].tallies}
        return sorted(
            (one for one in last if one in self.versions), key=lambda one: (last[one], self._since(one))
        )

    def cameras(self, version: str) -> list[str]:
        """Those that sent pictures to a version."""
        keys = {key for hour in self.found.values() for key in hour.tallies}
        return sorted(key.camera for key in keys if key.version == version)

    def swaps(self) -> list[Swap]:
        """In order. Several workers swap one after another, which is one swap."""
        found, answering = [], dict[str, str]()
        for start in sorted(start for hour in self.found.values() for start in hour.starts):
            old = answering.get(start.model) or self._before(start)
            if old not in (start.version, ""):
                found.append(Swap(start.at, start.model, old, start.version))
            answering[start.model] = start.version
        return found

    def _before(self, start: Start) -> str:
        """The version that a model had before its first start of these hours, "" if it answered nothing."""
        hours = [hour for hour in sorted(self.found) if hour < hour_of(start.at)]
        used = [key.version for hour in hours for key in self.found[hour].tallies]
        return next((one for one in reversed(used) if self.knows(start.model, one)), "")

    def _since(self, version: str) -> float:
        return self.versions[version].since


def worst(found: Sequence[FeatureDrift]) -> Drift:
    """The verdict over all features: drift if any has drifted, else too few if any has too few samples."""
    verdicts = {one.verdict for one in found}
    order: tuple[Drift, ...] = ("drift", "too few", "stable")
    return next((one for one in order if one in verdicts), "too few")
