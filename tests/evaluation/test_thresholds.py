"""Where the best F1 lies, and that the number chosen really gives it."""

from __future__ import annotations

import numpy as np
import pytest

from maskdet.evaluation.ranking import Ranking
from maskdet.evaluation.thresholds import best_f1_threshold, class_threshold


def _ranking(scores, hits, truths):
    return Ranking(
        np.array(scores, np.float32), np.array(hits, bool), truths, np.zeros(len(scores), np.int64)
    )


@pytest.mark.parametrize(
    ("scores", "hits", "truths", "threshold"),
    [
        pytest.param([0.9, 0.8, 0.3], [1, 1, 0], 2, 0.55, id="midway between the last kept and the next"),
        pytest.param([0.9, 0.8], [1, 1], 2, 0.4, id="all are right: midway to zero"),
        pytest.param([0.6, 0.6, 0.2], [1, 0, 0], 1, 0.4, id="equal scores stay together"),
        pytest.param([0.9, 0.7, 0.5, 0.3], [1, 0, 0, 1], 2, 0.8, id="of equal F1 the higher threshold"),
        pytest.param([0.9, 0.8], [0, 0], 2, 0.5, id="no hit"),
        pytest.param([], [], 2, 0.5, id="no detection"),
        pytest.param([0.9], [0], 0, 0.5, id="no face"),
    ],
)
def test_best_f1(scores, hits, truths, threshold):
    assert best_f1_threshold(_ranking(scores, hits, truths)) == pytest.approx(threshold)


@pytest.mark.parametrize("score", [1.0, 0.5, 0.1, 1e-5, 1e-30])
def test_neighbouring_floats_are_parted(score):
    low = np.nextafter(np.float32(score), np.float32(0))
    ranking = _ranking([score, low], [1, 0], 1)
    assert ranking.counts(best_f1_threshold(ranking)) == (1, 0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_no_other_threshold_is_better(seed):
    rng = np.random.default_rng(seed)
    scores = -np.sort(-rng.random(40).round(int(rng.integers(1, 7))))
    ranking = _ranking(scores, rng.random(40) < scores, 45)

    def f1(threshold):
        hits, false_alarms, misses = ranking.counts(threshold)
        return 2 * hits / (2 * hits + false_alarms + misses)

    best = f1(best_f1_threshold(ranking))
    assert best >= max(f1(each) for each in [0.0, *ranking.scores, 1.0])


def test_a_given_number_is_taken_as_it_is():
    assert class_threshold(_ranking([0.9], [1], 1), 0.3) == 0.3
