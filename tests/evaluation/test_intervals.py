"""Resampled figures against the plain ones, and Wilson's interval against published values."""

from __future__ import annotations

import numpy as np
import pytest

from maskdet.evaluation.average_precision import coco_ap, integral_ap
from maskdet.evaluation.intervals import (
    draw_resamples,
    mean_over_classes,
    percentiles,
    resampled_ap,
    resampled_coco_ap,
    resampled_rate,
    wilson,
)
from maskdet.evaluation.ranking import of_class, rank_coco, rank_voc


def _ranked(scenes):
    own = of_class(scenes, 0)
    truths = np.array([int((~truth.difficult).sum()) for truth, _ in own])
    return rank_voc(own), truths


def test_each_picture_once_gives_the_plain_figure(make_scenes):
    ranking, truths = _ranked(make_scenes(0, difficult=0.2))
    once = np.ones((1, len(truths)), np.float32)
    assert resampled_ap(ranking, truths, once) == pytest.approx([integral_ap(ranking)], abs=1e-6)


def test_a_part_of_the_pictures_gives_the_figure_of_that_part(make_scenes):
    scenes = make_scenes(1)
    ranking, truths = _ranked(scenes)
    half = np.zeros((1, len(truths)), np.float32)
    half[0, ::2] = 1
    assert resampled_ap(ranking, truths, half) == pytest.approx(
        [integral_ap(_ranked(scenes[::2])[0])], abs=1e-6
    )


def test_cocos_figure_of_a_resample_is_the_plain_one_of_its_pictures(make_scenes):
    scenes = make_scenes(3, difficult=0.1, tied=True)
    own = of_class(scenes, 0)
    truths = np.array([int((~truth.difficult).sum()) for truth, _ in own])
    parts = np.random.default_rng(1).integers(0, 2, (7, len(own))).astype(np.float32)
    parts[0], parts[1] = 1, 0
    resampled = [resampled_coco_ap(ranking, truths, parts) for ranking in rank_coco(own)]
    for row, part in enumerate(parts):
        kept = [scene for scene, weight in zip(own, part, strict=True) if weight]
        plain = [coco_ap(ranking) for ranking in rank_coco(kept)] if kept else [np.nan] * 10
        np.testing.assert_allclose([curve[row] for curve in resampled], plain, atol=1e-6)


def test_more_resamples_than_fit_at_a_time(make_scenes):
    ranking, truths = _ranked(make_scenes(2))
    weights = draw_resamples(len(truths), 120)
    alone = np.concatenate([resampled_ap(ranking, truths, weights[[row]]) for row in range(120)])
    np.testing.assert_allclose(resampled_ap(ranking, truths, weights), alone)


def test_resamples_are_as_large_as_the_whole_and_the_same_each_time():
    weights = draw_resamples(30, 200)
    assert (weights.sum(axis=1) == 30).all()
    np.testing.assert_array_equal(weights, draw_resamples(30, 200))
    assert weights.std() == pytest.approx(1.0, abs=0.1)


def test_a_resample_without_the_class_has_no_figure(make_scenes):
    ranking, truths = _ranked(make_scenes(0))
    none = np.where(truths > 0, 0, 1).astype(np.float32)[None]
    curve = resampled_ap(ranking, truths, none)
    assert np.isnan(curve).all()
    assert percentiles(curve) is None
    assert mean_over_classes([curve, np.array([0.5])]).tolist() == [0.5]


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        # Wilson intervals as tabulated by R. G. Newcombe, Statistics in Medicine 17 (1998), table I.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(count, of, low, high):
    assert wilson(count, of) == pytest.approx((low, high), abs=5e-5)


def test_nothing_to_count_has_no_interval():
    assert wilson(0, 0) is None
    nothing = np.zeros(3, np.int64)
    assert resampled_rate(nothing, nothing, draw_resamples(3, 10)) is None


def test_no_event_leaves_as_many_as_an_exact_poisson_interval():
    # Garwood (1936): 3.689 is the upper limit, 95 % two-sided, of a count of 0.
    faces, none = np.array([3, 5]), np.zeros(2, np.int64)
    assert resampled_rate(none, faces, draw_resamples(2, 10)) == pytest.approx((0.0, 3.689 / 8), abs=1e-3)
    per_1000 = resampled_rate(none, faces, draw_resamples(2, 10), scale=1000)
    assert per_1000 == pytest.approx((0.0, 461.1), abs=0.1)


def test_a_rate_that_is_the_same_in_all_pictures_is_certain():
    faces = np.array([2, 4, 6])
    assert resampled_rate(faces * 3, faces, draw_resamples(3, 50)) == pytest.approx((3.0, 3.0))
