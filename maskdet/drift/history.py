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
        """Whether the model has answered with this version in these hours."""
        return (model, version) in self.used()

    def tally(self, model: str, version: str, *, camera: str | None = None, hour: int | None = None) -> Tally:
        """The sum of a model version's counts, of all or of one camera and hour."""
        total = Tally(self.versions[version].bins)
        for seen in self.found.values() if hour is None else filter(None, [self.found.get(hour)]):
            for key, tally in seen.tallies.items():
                if (key.model, key.version) == (model, version) and camera in (None, key.camera):
                    total.merge(tally)
        return total

    def drift(
        self, model: str, version: str, limit: float, *, camera: str | None = None
    ) -> list[FeatureDrift]:
        """By feature; nothing for a version without a profile."""
        profile = self.versions[version].profile
        return [] if profile is None else compare(profile, self.tally(model, version, camera=camera), limit)

    def used(self) -> list[tuple[str, str]]:
        """Models and versions that answered pictures, the latest last."""
        hours = sorted(self.found)
        last = {(key.model, key.version): hour for hour in hours for key in self.found[hour].tallies}
        # After a rollback the older version is the latest.
        began = {one[1:]: one.at for hour in hours for one in sorted(self.found[hour].starts)}
        known = (one for one in last if one[1] in self.versions)
        return sorted(known, key=lambda one: (last[one], began.get(one, self.versions[one[1]].since)))

    def cameras(self, model: str, version: str) -> list[str]:
        """Those that sent pictures to a model's version."""
        keys = {key for hour in self.found.values() for key in hour.tallies}
        return sorted(key.camera for key in keys if (key.model, key.version) == (model, version))

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
        used = [key.version for hour in hours for key in self.found[hour].tallies if key.model == start.model]
        return used[-1] if used else ""


def worst(found: Sequence[FeatureDrift]) -> Drift:
    """The verdict over all features: drift if any has drifted, else too few if any has too few samples."""
    verdicts = {one.verdict for one in found}
    order: tuple[Drift, ...] = ("drift", "too few", "stable")
    return next((one for one in order if one in verdicts), "too few")
