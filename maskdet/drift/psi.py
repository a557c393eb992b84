"""The population stability index of two histograms, and how large it becomes by chance.

PSI = sum over groups of (q - p) ln(q / p), p and q the shares of the reference and of what was seen: the
symmetric divergence of Jeffreys (1946) and Kullback and Leibler (1951). Credit scoring reads below 0.1 as no
change, 0.25 and more as a large one (Siddiqi, Credit Risk Scorecards, 2006). These limits ignore how many
samples there are: with M in the reference and N seen of the same population, PSI is (1/M + 1/N) times a
chi-square of B - 1 degrees of freedom for B groups (Yurdakul, Statistical Properties of Population Stability
Index, 2018; criticised for the same reason by Potgieter et al., arXiv:2307.11878). So here a PSI counts only
if the samples are so many that chance reaches the limit in one of a thousand comparisons at most; fewer are
too few.

The faces of one picture resemble each other. Rao and Scott (JASA 76, 1981) divide such a statistic by the
mean design effect, the factor by which the variance of the shares exceeds that of independent samples; here
it divides both numbers of samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np

from maskdet.types import IntArray

ALPHA: Final = 0.001
"""How often chance alone may reach the limit."""
_Z: Final = NormalDist().inv_cdf(1 - ALPHA)
_PER_GROUP: Final = 25
"""Samples of the reference in a group: chi-square holds for expected counts of 5 and more, also where those
seen are fewer.
"""
_MOST_GROUPS: Final = 10
_SMOOTHING: Final = 0.5
"""Added to each count, so that an empty group has a logarithm."""


def groups(reference: Sequence[int], independent: float) -> IntArray:
    """Group of each bin [K] of an ordered feature: neighbours are joined into groups of about equal counts,
    two at least. A bin with half of all samples stays alone: what lies beside it could never show.

    independent: the reference's samples over their design effect. They decide how many groups there are, so
    the groups are those of the reference, whatever is seen later.
    """
    wanted = int(min(max(independent // _PER_GROUP, 2), _MOST_GROUPS))
    total = sum(reference)
    left, held, group, found = total, 0, 0, []
    for count in reference:
        alone = count >= total / 2
        if alone and group in found:
            group, held = group + 1, 0
        found.append(group)
        held, left = held + count, left - count
        if alone or (held >= total / wanted and left >= total / wanted / 2):
            group, held = group + 1, 0
    return np.array(found if any(found) else _halves(reference), np.int64)


def _halves(reference: Sequence[int]) -> IntArray:
    """Two groups, cut where their counts differ least."""
    below = np.cumsum(reference)
    cut = int(np.abs(below[:-1] - below[-1] / 2).argmin())
    return (np.arange(len(reference)) > cut).astype(np.int64)


def joined(counts: Sequence[int], by: IntArray) -> IntArray:
    """Counts [K] by group."""
    sums: IntArray = np.bincount(by, weights=counts, minlength=int(by.max()) + 1).astype(np.int64)
    return sums


def psi(reference: IntArray, seen: IntArray) -> float:
    """Of two counts by group, each with half a sample more in every group."""
    p, q = (_shares(counts) for counts in (reference, seen))
    return float(((q - p) * np.log(q / p)).sum())


def chance(groups: int, reference: float, seen: float) -> float:
    """The PSI that two samples of one population exceed in `ALPHA` of all cases; samples over their design
    effect, at least one each. The quantile of chi-square is Wilson and Hilferty's (PNAS 17, 1931), within 2
    %.
    """
    free = max(groups - 1, 1)
    spread = 2 / (9 * free)
    quantile = free * (1 - spread + _Z * spread**0.5) ** 3
    return float(quantile * (1 / reference + 1 / seen))


def needed(groups: int, reference: float, limit: float) -> float | None:
    """Samples to be seen, over their design effect, until chance stays below the limit; None if the reference
    itself is too small for that.
    """
    room = limit / chance(groups, 2, 2) - 1 / reference
    return 1 / room if room > 0 else None


def _shares(counts: IntArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    smooth = counts + _SMOOTHING
    shares: np.ndarray[tuple[int], np.dtype[np.float64]] = smooth / smooth.sum()
    return shares
