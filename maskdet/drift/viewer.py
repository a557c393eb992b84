"""From a history to what is shown of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from maskdet.detector.profile import LABEL
from maskdet.drift.comparison import FeatureDrift, compare
from maskdet.drift.history import History, worst
from maskdet.drift.hour import SECONDS
from maskdet.drift.tally import OUTCOMES, Tally
from maskdet.drift.version import Version
from maskdet.drift.view import CameraView, FeatureView, HourView, SwapView, VerdictCounts, VersionView, View

LATELY_HOURS: Final = 24
"""Hours behind the drift of an hour."""


class Viewer:
    """Shows a history's models; serving: by model the version that answers; aliases: by model the alias that
    leads to it, if that is known.
    """

    def __init__(
        self,
        history: History,
        serving: Mapping[str, str],
        limit: float,
        camera: str | None = None,
        *,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self._history = history
        self._serving = serving
        self._aliases = aliases or {}
        self._limit = limit
        self._camera = camera

    def view(self, model: str, version: str, *, kept: bool, delay_seconds: float) -> View:
        """The version is one of the model; the other figures cover all that it had."""
        history, known = self._history, self._history.versions[version]
        seen = history.tally(model, version, camera=self._camera)
        drift = history.drift(model, version, self._limit, camera=self._camera)
        profile = known.profile
        return View(
            model=model,
            models=tuple(self._serving),
            version=version,
            since=history.hours.start * SECONDS,
            until=history.until,
            limit=self._limit,
            kept=kept,
            delay_seconds=delay_seconds,
            hours=tuple(self._hours(model)),
            versions=tuple(self._versions(model)),
            cameras=tuple(self._cameras(model, version)),
            features=tuple(_feature(one, known, seen) for one in drift),
            swaps=tuple(
                SwapView(at=swap.at, old=swap.old, new=swap.new)
                for swap in history.swaps()
                if swap.model == model
            ),
            own=VerdictCounts.model_validate(seen.verdicts),
            val=None if profile is None else VerdictCounts.model_validate(profile.verdicts),
        )

    def _used(self, model: str) -> list[str]:
        """The model's versions that answered, the latest last, and the present one."""
        history = self._history
        used = [version for name, version in history.used() if name == model]
        present = self._serving[model]
        return used if present in used else [*used, present]

    def _hours(self, model: str) -> Iterator[HourView]:
        used = self._used(model)
        lately = {one: self._lately(model, one) for one in used}
        for hour, counted in sorted(self._history.found.items()):
            tallies = {one: self._history.tally(model, one, camera=self._camera, hour=hour) for one in used}
            busiest = max(used, key=lambda one: tallies[one].pictures)
            profile = self._history.versions[busiest].profile
            drift = compare(profile, lately[busiest][hour], self._limit) if profile else []
            yield HourView(
                start=hour * SECONDS,
                requests=counted.requests,
                faults=counted.faults,
                drift={one.feature: one.verdict for one in drift if one.samples},
                **{name: sum(tally.outcome(name) for tally in tallies.values()) for name in OUTCOMES},
            )

    def _lately(self, model: str, version: str) -> dict[int, Tally]:
        """By hour a version's counts of the last `LATELY_HOURS` hours: of one hour alone there are seldom
        enough.

        Only hours of the history count.
        """
        hours = sorted(self._history.found)
        bins = self._history.versions[version].bins
        each = [self._history.tally(model, version, camera=self._camera, hour=hour) for hour in hours]
        starts = [bisect_right(hours, hour - LATELY_HOURS) for hour in hours]
        found = {hour: Tally(bins) for hour in hours}
        for name in bins.edges:
            rows = np.array([tally.counts[name] for tally in each], np.int64).reshape(-1, bins.size(name))
            sums = np.vstack([np.zeros_like(rows[:1]), rows.cumsum(axis=0)])
            for place, hour in enumerate(hours):
                found[hour].counts[name] = (sums[place + 1] - sums[starts[place]]).tolist()
        return found

    def _versions(self, model: str) -> Iterator[VersionView]:
        history = self._history
        for one in self._used(model):
            answering = one == self._serving[model]
            yield VersionView(
                version=one,
                registered=history.versions[one].registered,
                alias=self._aliases.get(model, "") if answering else "",
                since=history.versions[one].since,
                answering=answering,
                reference=history.versions[one].profile is not None,
                drift=worst(history.drift(model, one, self._limit, camera=self._camera)),
                **_outcomes(history.tally(model, one, camera=self._camera)),
            )

    def _cameras(self, model: str, version: str) -> Iterator[CameraView]:
        for camera in self._history.cameras(model, version):
            yield CameraView(
                camera=camera,
                drift=worst(self._history.drift(model, version, self._limit, camera=camera)),
                **_outcomes(self._history.tally(model, version, camera=camera)),
            )


def _feature(one: FeatureDrift, known: Version, seen: Tally) -> FeatureView:
    profile = known.profile
    return FeatureView(
        feature=one.feature,
        psi=one.psi,
        chance=one.chance,
        samples=one.samples,
        reference=one.reference,
        least=one.least,
        drift=one.verdict,
        edges=known.bins.edges[one.feature],
        labels=known.bins.labels if one.feature == LABEL else (),
        seen=tuple(seen.counts[one.feature]),
        expected=profile.features[one.feature].counts if profile else (),
    )


def _outcomes(tally: Tally) -> dict[str, int]:
    return {name: tally.outcome(name) for name in OUTCOMES}
