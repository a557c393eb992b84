"""Confidence intervals: bootstrap over pictures for AP and rates of counts, Wilson's interval for shares,
the exact one for a count of 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskdet.evaluation.average_precision import COCO_RECALLS
from maskdet.evaluation.ranking import Curve, Ranking
from maskdet.types import IntArray

Interval = tuple[float, float]
"""Lower and upper end of a 95 % interval."""
Weights = NDArray[np.float32]

RESAMPLES = 1000
_SEED = 0
_ROWS = 50
"""Resamples at a time, so that memory stays small."""
_Z = 1.959964
_ENDS = (2.5, 97.5)
_NONE_SEEN = -math.log(0.025)
"""The upper end for a Poisson count of 0, 3.69: F. Garwood, Biometrika 28 (1936)."""


def draw_resamples(pictures: int, resamples: int = RESAMPLES) -> Weights:
    """[R, P] number of times each of P pictures is in each resample of P drawn with replacement; seeded."""
    drawn = np.random.default_rng(_SEED).multinomial(pictures, np.full(pictures, 1 / pictures), resamples)
    weights: Weights = drawn.astype(np.float32)
    return weights


def resampled_ap(ranking: Ranking, truths: IntArray, weights: Weights) -> Curve:
    """`integral_ap` of a class in each resample, [R]; NaN where a resample has none of its faces.

    truths: [P] faces that count, by picture. Copies of a picture enter the ranking together.
    """
    reach = int(np.flatnonzero(ranking.hits).max(initial=-1)) + 1
    pictures, hits = ranking.pictures[:reach], ranking.hits[:reach]
    gained = np.concatenate(
        [_gained(weights[start : start + _ROWS, pictures], hits) for start in range(0, len(weights), _ROWS)]
    )
    whole = weights.astype(np.float64) @ truths
    ap: Curve = np.divide(gained, whole, out=np.full(len(weights), np.nan), where=whole > 0)
    return ap


def mean_over_classes(each: Sequence[Curve]) -> Curve:
    """Mean over the classes that a resample has, [R]; resamples without any face are left out."""
    stacked = np.stack(each)
    present = ~np.isnan(stacked)
    some = present.any(axis=0)
    sums = np.where(present, stacked, 0.0).sum(axis=0)
    means: Curve = sums[some] / present.sum(axis=0)[some]
    return means


def percentiles(values: Curve) -> Interval | None:
    """The middle 95 % of the values that are not NaN; None if there are none."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.percentile(known, _ENDS)
    return float(low), float(high)


def resampled_coco_ap(ranking: Ranking, truths: IntArray, weights: Weights) -> Curve:
    """`coco_ap` of a class at one IoU in each resample, [R]; otherwise like `resampled_ap`."""
    reach = int(np.flatnonzero(ranking.hits).max(initial=-1)) + 1
    pictures, hits = ranking.pictures[:reach], ranking.hits[:reach]
    whole = weights.astype(np.float64) @ truths
    ap: Curve = np.full(len(weights), np.nan)
    for start in range(0, len(weights), _ROWS):
        rows = np.flatnonzero(whole[start : start + _ROWS]) + start
        ap[rows] = _interpolated(weights[rows][:, pictures], hits, whole[rows])
    return ap


def resampled_share(counts: IntArray, wholes: IntArray, weights: Weights) -> Curve:
    """sum(counts) / sum(wholes) in each resample, [R], both [P] by picture; NaN where the whole is 0."""
    whole = weights.astype(np.float64) @ wholes
    part = weights.astype(np.float64) @ counts
    shares: Curve = np.divide(part, whole, out=np.full(len(weights), np.nan), where=whole > 0)
    return shares


def resampled_rate(
    counts: IntArray, wholes: IntArray, weights: Weights, *, scale: int = 1
) -> Interval | None:
    """Interval of `scale` times sum(counts) / sum(wholes), both [P] by picture.

    Every resample of no events has none, so the exact interval of a count stands in for the bootstrap at 0.
    """
    if wholes.sum() and not counts.any():
        return 0.0, scale * _NONE_SEEN / float(wholes.sum())
    return percentiles(scale * resampled_share(counts, wholes, weights))


def wilson(count: int, of: int) -> Interval | None:
    """Wilson's score interval of a share, 95 %: it stays meaningful at 0 of n, unlike a bootstrap.

    E. B. Wilson, Journal of the American Statistical Association 22 (1927). None for 0 of 0.
    """
    if of == 0:
        return None
    share, square = count / of, _Z * _Z
    centre = (share + square / (2 * of)) / (1 + square / of)
    half = _Z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, centre - half), min(1.0, centre + half)


def _gained(weights: Weights, hits: NDArray[np.bool_]) -> Curve:
    right = weights * hits
    precision = right.cumsum(axis=1) / np.maximum(weights.cumsum(axis=1), 1)
    gained: Curve = (right * precision).sum(axis=1, dtype=np.float64)
    return gained


def _interpolated(weights: Weights, hits: NDArray[np.bool_], whole: Curve) -> Curve:
    """COCO's AP of rows of weights [B, N] for a ranking with `hits` [N] and `whole` [B] faces, [B]."""
    right = (weights * hits).cumsum(axis=1)
    precision = right / np.maximum(weights.cumsum(axis=1), 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1][:, hits]
    # A recall takes the envelope at the first hit that reaches it, so each hit counts for those it adds.
    reached = np.searchsorted(COCO_RECALLS, right[:, hits] / whole[:, None], side="right")
    added = np.diff(reached, axis=1, prepend=0)
    means: Curve = (added * envelope).sum(axis=1, dtype=np.float64) / len(COCO_RECALLS)
    return means
