"""One version's tally against its profile, feature by feature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from maskdet.detector.profile import LABEL, Histogram, Profile
from maskdet.drift.psi import chance, groups, joined, needed, psi
from maskdet.drift.tally import Tally
from maskdet.types import IntArray

Drift = Literal["stable", "drift", "too few"]


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """psi: None if nothing was seen; chance: the PSI that is exceeded once in a thousand times without drift;
    samples and reference: pictures or faces, seen and on val; least: samples for a verdict, None if val
    itself has too few.
    """

    feature: str
    psi: float | None
    chance: float | None
    samples: int
    reference: int
    least: int | None
    limit: float

    @property
    def verdict(self) -> Drift:
        """`too few` says neither that there is drift nor that there is none."""
        if self.psi is None or self.chance is None or self.chance > self.limit:
            return "too few"
        return "drift" if self.psi >= self.limit else "stable"


def compare(profile: Profile, seen: Tally, limit: float) -> list[FeatureDrift]:
    """Every feature of the profile. Both have the same bins."""
    return [
        compare_feature(name, histogram, seen.counts[name], limit)
        for name, histogram in profile.features.items()
        if name in seen.counts
    ]


def compare_feature(name: str, histogram: Histogram, counts: list[int], limit: float) -> FeatureDrift:
    """One feature; counts [K] as seen."""
    reference, samples = sum(histogram.counts), sum(counts)
    if not reference:
        return FeatureDrift(name, None, None, samples, 0, None, limit)
    effect = histogram.design_effect
    by = groups_of(name, histogram)
    number = int(by.max()) + 1
    enough = needed(number, reference / effect, limit)
    least = None if enough is None else math.ceil(enough * effect)
    if not samples:
        return FeatureDrift(name, None, None, 0, reference, least, limit)
    value = psi(joined(histogram.counts, by), joined(counts, by))
    likely = chance(number, reference / effect, samples / effect)
    return FeatureDrift(name, value, likely, samples, reference, least, limit)


@lru_cache(maxsize=128)
def groups_of(name: str, histogram: Histogram) -> IntArray:
    """Group of each bin [K]. Labels have no order, so each is a group."""
    if name == LABEL:
        return np.arange(len(histogram.counts))
    return groups(histogram.counts, sum(histogram.counts) / histogram.design_effect)
