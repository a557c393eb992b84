"""The thinned curves: few points, and still the curve."""

from __future__ import annotations

import numpy as np

from maskdet.evaluation.curve_points import MOST, _points
from maskdet.evaluation.ranking import Ranking


def ranking(count: int) -> Ranking:
    draw = np.random.default_rng(3)
    scores = np.sort(draw.random(count, np.float32) ** 2)[::-1]
    hits = draw.random(count) < scores
    return Ranking(scores, hits, max(1, int(hits.sum())), np.zeros(count, np.int64))


def test_a_short_curve_is_whole() -> None:
    short = ranking(50)
    points = _points(short)
    assert points["scores"] == np.round(short.scores.astype(float), 4).tolist()
    assert points["precision"][-1] == round(float(short.precision[-1]), 4)


def test_a_long_curve_keeps_its_shape() -> None:
    whole = ranking(20_000)
    points = _points(whole)
    assert len(points["recall"]) <= MOST + 2
    assert {len(curve) for curve in points.values()} == {len(points["recall"])}
    assert points["recall"][-1] == 1
    drawn = np.interp(whole.recall, points["recall"], points["precision"])
    # The first few detections jump between 0 and 1 in any curve.
    assert np.abs(drawn - whole.precision)[200:].max() < 0.02
    by_score = np.interp(-whole.scores, -np.array(points["scores"]), points["f1"])
    assert np.abs(by_score - whole.f1).max() < 0.02


def test_a_class_without_detections_has_empty_curves() -> None:
    assert _points(ranking(0)) == {"scores": [], "precision": [], "recall": [], "f1": []}
