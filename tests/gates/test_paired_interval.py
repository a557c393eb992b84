"""The paired interval as a statistic: how often it holds the truth, and how much narrower it is."""

from __future__ import annotations

import numpy as np
import pytest

from maskdet.evaluation.average_precision import integral_ap
from maskdet.evaluation.intervals import draw_resamples, resampled_ap
from maskdet.evaluation.ranking import Ranking
from maskdet.gates.relative import paired_interval

VALS, PICTURES, RESAMPLES = 300, 80, 300
LACK = 0.25
"""How much weaker the second model's evidence of a face is."""


def simulate(draw: np.random.Generator, pictures: int) -> tuple[Ranking, Ranking, np.ndarray]:
    """Two models on the same pictures, of which some are hard for both; and the faces of each picture."""
    hard = draw.normal(0, 0.8, pictures)
    faces = 1 + draw.poisson(3, pictures)
    of_face = np.repeat(np.arange(pictures), faces)
    of_noise = np.repeat(np.arange(pictures), draw.poisson(1.5, pictures))
    face, noise = draw.normal(1.5, 1, len(of_face)) - hard[of_face], draw.normal(-0.5, 1, len(of_noise))
    return (
        _ranked(draw, face, noise, of_face, of_noise),
        _ranked(draw, face - LACK, noise, of_face, of_noise),
        faces,
    )


def _ranked(draw, face, noise, of_face, of_noise) -> Ranking:
    scores = np.concatenate([face, noise])
    scores = scores + draw.normal(0, 0.4, len(scores))
    hits = np.arange(len(scores)) < len(face)
    pictures = np.concatenate([of_face, of_noise])
    # What scores lower is not detected at all, so some faces are missed.
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > -1]
    return Ranking(scores[order].astype(np.float32), hits[order], len(face), pictures[order])


@pytest.fixture(scope="module")
def intervals() -> tuple[np.ndarray, np.ndarray, float]:
    """[V, 2] the paired and the unpaired interval of each simulated val, and the true difference."""
    draw = np.random.default_rng(11)
    one, other, _ = simulate(draw, 60_000)
    truth = integral_ap(one) - integral_ap(other)
    weights = draw_resamples(PICTURES, RESAMPLES)
    apart = np.random.default_rng(3).permuted(weights, axis=0)
    paired, unpaired = [], []
    for _ in range(VALS):
        one, other, faces = simulate(draw, PICTURES)
        first = resampled_ap(one, faces, weights)
        paired.append(paired_interval(first, resampled_ap(other, faces, weights)))
        unpaired.append(paired_interval(first, resampled_ap(other, faces, apart)))
    return np.array(paired), np.array(unpaired), truth


def test_about_95_of_100_intervals_hold_the_true_difference(intervals) -> None:
    paired, _, truth = intervals
    covered = ((paired[:, 0] <= truth) & (truth <= paired[:, 1])).mean()
    # 300 intervals: three standard deviations of a share of 0.95 are 0.04.
    assert 0.91 <= covered <= 0.99


def test_the_paired_interval_is_much_narrower(intervals) -> None:
    paired, unpaired, _ = intervals
    widths = [np.diff(ends, axis=1).mean() for ends in (paired, unpaired)]
    assert widths[0] < 0.6 * widths[1]


def test_a_difference_that_pairing_shows_is_lost_without_it(intervals) -> None:
    paired, unpaired, truth = intervals
    assert truth > 0.01
    assert (paired[:, 0] > 0).mean() > 2 * (unpaired[:, 0] > 0).mean()
