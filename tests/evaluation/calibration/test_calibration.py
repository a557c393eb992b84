"""Scores as probabilities: the fit, its honesty, and what it leaves alone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from maskdet.detector.calibration import Calibration
from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.evaluation.appraisal import appraise
from maskdet.evaluation.calibration.cross_fit import FOLDS, CrossFit, fitted, folds_of
from maskdet.evaluation.calibration.reliability import Marked, Reliability, marked_detections
from maskdet.evaluation.evaluator import checked_scenes, evaluate
from maskdet.evaluation.policies.compared import Shipped
from maskdet.evaluation.report.report import markdown_report
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.views import View
from maskdet.types import Detections, GroundTruth

LABELS = ("with_mask", "without_mask")
SIZE = (320, 320)


def _drawn(count, temperature, seed=0, pictures=100):
    """Detections that are right as often as they say, with scores at this temperature away from that."""
    rng = np.random.default_rng(seed)
    known = rng.uniform(0.02, 0.98, count)
    away = Calibration(temperature=1 / temperature).probabilities(known.astype(np.float32))
    right = rng.random(count) < known
    return Marked(away, right, np.zeros(count, np.int64), rng.integers(0, pictures, count))


def _pictures(count=60, temperature=0.3, seed=1):
    """Pictures of eight faces 40 px apart; a detection is on its face as often as its probability says."""
    rng = np.random.default_rng(seed)
    scenes = []
    for _ in range(count):
        left = 40.0 * np.arange(8, dtype=np.float32)
        boxes = np.stack([left, 0 * left, left + 20, 0 * left + 20], axis=1)
        class_ids = rng.integers(0, 2, 8)
        known = rng.uniform(0.02, 0.98, 8)
        placed = boxes + np.where(rng.random(8) < known, 0, 100)[:, None] * [0, 1, 0, 1]
        scores = Calibration(temperature=1 / temperature).probabilities(known.astype(np.float32))
        found = Detections(placed.astype(np.float32), scores, class_ids)
        scenes.append((GroundTruth(boxes, class_ids, np.zeros(8, bool)), found))
    return scenes


def _views(count, collections=("",)):
    names = [collections[number % len(collections)] for number in range(count)]
    return [View(f"{number}.jpg", SIZE, 100.0, name) for number, name in enumerate(names)]


def _appraised(scenes, collections=("",), shipped=None, **settings):
    views = _views(len(scenes), collections)
    return appraise(scenes, views, LABELS, EvalSettings(**settings), SIZE, shipped=shipped)


@pytest.mark.parametrize("temperature", [0.2, 0.5, 1.0, 2.5])
def test_a_known_distortion_is_found_and_undone(temperature):
    marked = _drawn(20_000, temperature)
    calibration = fitted(marked)
    assert calibration.temperature == pytest.approx(temperature, rel=0.06)
    after = Reliability.of(replace(marked, scores=calibration.probabilities(marked.scores)))
    assert after.ece < 0.02
    assert Reliability.of(marked).ece > 0.05 or temperature == 1.0


def test_the_error_of_perfect_scores_is_that_of_chance():
    few, many = (Reliability.of(_drawn(count, 1.0, seed=3)) for count in (60, 20_000))
    assert few.ece_chance > 0.05
    assert many.ece_chance < 0.01
    assert many.ece == pytest.approx(many.ece_chance, abs=0.01)


def test_ece_by_hand():
    scores = np.array([0.95, 0.95, 0.15, 0.05], np.float32)
    one = Reliability.of(Marked(scores, np.array([True, False, False, False]), *[np.zeros(4, np.int64)] * 2))
    assert one.detections == 3
    assert one.ece == pytest.approx((2 * 0.45 + 0.15) / 3)
    assert one.ece_all == pytest.approx((2 * 0.45 + 0.15 + 0.05) / 4)


def test_a_fold_decides_nothing_about_its_own_pictures():
    marked, folds = _drawn(4000, 0.4), folds_of(_views(100))
    before = CrossFit.of(marked, folds)
    own = folds[marked.pictures] == 2
    turned = replace(marked, right=np.where(own, ~marked.right, marked.right))
    after = CrossFit.of(turned, folds)
    assert after.parts[2] == before.parts[2]
    assert all(after.parts[fold] != before.parts[fold] for fold in (0, 1, 3, 4))
    assert np.array_equal(after.marked(turned).scores[own], before.parts[2].probabilities(marked.scores[own]))


def test_near_duplicates_share_a_fold_whatever_their_order():
    views = [replace(view, group=f"group {number // 3}") for number, view in enumerate(_views(90))]
    folds = folds_of(views)
    assert all(len(set(folds[start : start + 3])) == 1 for start in range(0, 90, 3))
    assert set(folds) == set(range(FOLDS))
    assert folds_of(views[::-1])[::-1].tolist() == folds.tolist()


def test_ap_stays_as_it_is(make_scenes):
    scenes = checked_scenes(make_scenes(5, classes=2), ("a", "b"))
    fit = CrossFit.of(marked_detections(scenes, ("a", "b")), np.arange(len(scenes)) % FOLDS)
    before, after = (evaluate(each, ("a", "b"), thresholds=0.5) for each in (scenes, fit.served(scenes)))
    assert fit.whole.temperature != 1
    assert after.overall() == pytest.approx(before.overall(), abs=1e-9)


def test_an_evaluation_calibrates_and_shows_before_and_after():
    scenes = _pictures()
    judged, raw = _appraised(scenes, ("ours", "theirs")), _appraised(scenes, calibrate=False)
    result = judged.calibration
    assert result.in_force
    assert result.calibration.temperature == pytest.approx(0.3, rel=0.2)
    assert result.before.overall.ece > 0.1 > result.after.overall.ece
    assert set(result.after.classes) == set(LABELS)
    assert set(result.after.collections) == {"ours", "theirs"}
    assert (raw.calibration.in_force, raw.calibration.calibration) == (False, None)
    assert raw.calibration.before.overall == result.before.overall
    assert judged.ap50 == pytest.approx(raw.ap50, abs=1e-9)
    assert judged.thresholds != raw.thresholds
    told = json.loads(json.dumps(judged.to_json(), allow_nan=False))
    assert told["calibration"]["temperature"] == result.calibration.temperature
    assert list(told["recall"]) == ["all faces", "ours", "theirs"]
    text = markdown_report(judged)
    assert "Calibrated with temperature" in text
    assert "| collection theirs |" in text
    assert "Recall at the thresholds: all faces **" in text


def test_a_val_that_is_too_small_says_so_and_changes_nothing():
    scenes = _pictures(count=4)
    judged, raw = _appraised(scenes), _appraised(scenes, calibrate=False)
    assert judged.calibration.calibration is None
    assert any("too small to calibrate" in note for note in judged.notes)
    assert raw.notes == ()
    assert judged.thresholds == raw.thresholds


def test_scores_that_no_temperature_moves_are_left_alone():
    marked = _drawn(2000, 1.0)
    hard = replace(marked, scores=(marked.scores > 0.5).astype(np.float32))
    assert CrossFit.of(hard, folds_of(_views(100))) is None


@pytest.mark.parametrize("built_in", [False, True])
def test_scores_of_a_model_file_are_what_they_are(built_in):
    scenes = _pictures()
    thresholds = dict.fromkeys(LABELS, 0.6)
    shipped = Shipped(thresholds, ThresholdPolicy(), built_in)
    judged = _appraised(scenes, shipped=shipped)
    assert (judged.thresholds, judged.calibration.in_force) == (thresholds, False)
    assert judged.calibration.built_in is built_in
    shown = sum(each.true_positives + each.false_positives for each in judged.classes)
    assert shown == sum(int((found.scores >= np.float32(0.6)).sum()) for _, found in scenes)


def test_a_promise_is_counted_on_pictures_that_chose_nothing():
    judged = _appraised(_pictures(), threshold="promise", min_answered=0.3, max_false_alarms=0.5)
    promise = judged.promise
    assert promise.held_out
    terms = {term.name: term for term in promise.terms}
    assert set(terms) == {"bare_passed", "answered.masked", "answered.bare", "false_alarms"}
    assert terms["answered.bare"].rate.of == sum(each.truths for each in judged.classes[1:])
    assert terms["false_alarms"].rate.of == 480
    assert terms["bare_passed"].kept
    assert all(term.rate.interval is not None for term in promise.terms)
    given = _appraised(_pictures(), threshold=0.5).promise
    assert not given.held_out


def test_a_model_file_is_judged_by_the_scores_that_it_gives():
    """Val would calibrate them once more, which no user of the file does."""
    thresholds, policy = dict.fromkeys(LABELS, 0.62), ThresholdPolicy(name="safe", parameter=0.02)
    served, network = (
        _appraised(_pictures(), shipped=Shipped(thresholds, policy, calibrated=calibrated))
        for calibrated in (True, False)
    )
    assert served.calibration.built_in
    assert served.calibration.fitted.temperature < 0.5
    assert served.promise == network.promise
    best = [
        next(cost for cost in judged.policies if cost.policy.name == "best-f1")
        for judged in (served, network)
    ]
    assert best[0] == best[1]


def test_a_promise_that_is_broken_names_its_key():
    judged = _appraised(_pictures(), threshold=0.9, min_answered=0.99, max_false_alarms=0.0)
    said = " ".join(judged.promise.notes)
    assert "not kept: bare faces wider than 16 px answered as bare" in said
    assert "eval.min_answered wants 0.99" in said
    assert judged.to_json()["promise"]["kept"] is False
    assert "| no |" in markdown_report(judged)
