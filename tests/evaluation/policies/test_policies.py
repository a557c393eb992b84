"""The policies side by side: what each chooses, which is in force, and what each costs."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from slots import wide_scene

from maskdet.detector.threshold_policy import BEST_F1, ThresholdPolicy
from maskdet.errors import UsageError
from maskdet.evaluation.appraisal import appraise
from maskdet.evaluation.evaluator import checked_scenes
from maskdet.evaluation.policies.choice import Val
from maskdet.evaluation.policies.compared import Shipped
from maskdet.evaluation.policies.recall_choice import recall_choice
from maskdet.evaluation.policies.search import ThresholdSearch
from maskdet.evaluation.pool import pool
from maskdet.evaluation.report.report import markdown_report
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.thresholds import best_thresholds
from maskdet.evaluation.views import View

LABELS = ("with_mask", "without_mask")
MASK, BARE = range(2)
SIZE = (320, 320)


def _appraised(scenes, labels=LABELS, shipped=None, **settings):
    views = [View(f"{number}.jpg", SIZE, 100.0) for number in range(len(scenes))]
    chosen = EvalSettings(**{"calibrate": False, **settings})
    return appraise(scenes, views, labels, chosen, SIZE, shipped=shipped)


def _crowd(pictures=50, bare_width=20):
    """A masked, a bare and a false face each. Scores rise with the number of the picture: the false ones of
    masks from 0.3, the real ones from 0.4; a fifth of the bare faces are masked to the model, up to 0.7.
    """
    scenes = []
    for number in range(pictures):
        step = number / pictures
        found = [
            (0, MASK, 0.4 + 0.5 * step, 20),
            (1, BARE, 0.35 + 0.5 * step, bare_width),
            (2, MASK, 0.3 + 0.3 * step, 20),
            (3, BARE, 0.2 + 0.3 * step, 20),
        ]
        if number < pictures // 5:
            found.append((1, MASK, 0.6 + 0.1 * step, bare_width))
        scenes.append(
            wide_scene([(0, MASK, 20), (1, BARE, bare_width)], sorted(found, key=lambda row: -row[2]))
        )
    return scenes


def _row(judged, name):
    [row] = [each for each in judged.policies if each.policy.name == name]
    return row


def _recalls(row):
    return {label: each.recall.value for label, each in row.classes.items()}


def test_each_policy_stands_beside_what_it_costs():
    judged = _appraised(_crowd(), threshold="safe", max_bare_passed=0.02, min_recall=0.9)
    safe, best, recall, promise = judged.policies
    assert [each.policy for each in judged.policies] == [
        ThresholdPolicy(name="safe", parameter=0.02),
        BEST_F1,
        ThresholdPolicy(name="recall", parameter=0.9),
        ThresholdPolicy(name="promise", parameter=0.8),
    ]
    assert [each.in_force for each in judged.policies] == [True, False, False, False]
    assert min(_recalls(recall).values()) >= 0.9 > _recalls(safe)["with_mask"]
    assert (safe.bare_passed.count, best.bare_passed.of) == (0, 50)
    assert recall.false_alarms.value > safe.false_alarms.value
    assert any("eval.min_answered 80% for masked faces" in note for note in promise.notes)


def test_the_row_in_force_says_what_the_other_tables_say():
    judged = _appraised(_crowd(bare_width=18), threshold="recall", min_recall=0.8)
    row = _row(judged, "recall")
    assert row.in_force
    for each in judged.classes:
        cost = row.classes[each.label]
        assert (cost.threshold, cost.recall.value, cost.precision) == (
            each.threshold,
            each.recall,
            each.precision,
        )
    rates = judged.safety.rates
    assert row.bare_passed == rates["bare_passed"]
    assert row.bare_passed_wide == rates["bare_passed_wide"]
    assert row.false_alarms.value == rates["false_alarms_per_1000"].value


def test_recall_of_wide_faces_leaves_narrow_ones_out():
    row = _row(_appraised(_crowd(bare_width=12)), "best-f1")
    assert row.classes["without_mask"].recall.of == 50
    assert (row.classes["without_mask"].recall_wide.of, row.classes["with_mask"].recall_wide.of) == (0, 50)
    assert row.bare_passed_wide.of == 0


def test_recall_answers_the_share_and_a_larger_share_costs_more():
    alarms = []
    for share in (0.6, 0.8, 0.96, 1.0):
        judged = _appraised(_crowd(), threshold="recall", min_recall=share)
        assert min(each.recall for each in judged.classes) >= share
        assert judged.notes == ()
        alarms.append(_row(judged, "recall").false_alarms.count)
    assert alarms == sorted(alarms)
    assert alarms[0] < alarms[-1]


@pytest.mark.parametrize("seed", range(4))
def test_no_grid_finds_thresholds_that_answer_more(make_scenes, seed):
    labels = ("a", "b", "c")
    scenes = checked_scenes(make_scenes(seed, pictures=30), labels)
    start = np.array(list(best_thresholds(scenes, labels).values()), np.float32)
    val = Val(pool(scenes, 0.05), np.full(sum(len(truth) for truth, _ in scenes), 20.0), start, {}, labels)
    faces = val.pool.faces_by_class(val.pool.face_counts, 3)
    wanted = np.ceil(0.9 * faces - 1e-9)

    def short(thresholds):
        right = val.pool.answered(val.pool.answers(np.array(thresholds, np.float32)))
        return np.maximum(wanted - val.pool.faces_by_class(right, 3), 0).sum()

    chosen = recall_choice(val, 0.9)
    least = min(short(one) for one in product(np.arange(0.05, 0.96, 0.1), repeat=3))
    assert short(list(chosen.thresholds.values())) <= least


def test_what_cannot_be_reached_is_the_best_there_is_and_said():
    blind = [wide_scene([(0, MASK, 20), (1, BARE, 20)], [(0, MASK, 0.9, 20)]) for _ in range(10)]
    judged = _appraised([*_crowd(), *blind], threshold="recall", min_recall=0.9)
    bare = judged.classes[BARE]
    assert (bare.true_positives, bare.truths) == (50, 60)
    assert judged.classes[MASK].recall >= 0.9
    assert any("90% of the 60 faces of without_mask" in note and "50 are" in note for note in judged.notes)


def test_a_class_with_few_faces_keeps_its_best_f1():
    few = [wide_scene([(0, MASK, 20)], [(0, MASK, 0.4 + 0.01 * n, 20)]) for n in range(30)]
    judged = _appraised([*_crowd(pictures=10), *few], threshold="recall", min_recall=0.95)
    recall, best = _row(judged, "recall"), _row(judged, "best-f1")
    assert recall.classes["without_mask"].threshold == best.classes["without_mask"].threshold
    assert recall.classes["with_mask"].recall.value >= 0.95
    assert "val has 10 faces of without_mask, and a choice by recall needs 20" in " ".join(judged.notes)


def test_a_class_that_the_model_never_names_leaves_the_others_alone():
    unseen = [wide_scene([(0, 2, 20)], [(0, BARE, 0.1, 20)]) for _ in range(30)]
    judged = _appraised([*_crowd(), *unseen], labels=(*LABELS, "veil"), threshold="recall")
    alone = _appraised(_crowd(), labels=(*LABELS, "veil"), threshold="recall")
    assert judged.thresholds == alone.thresholds
    assert "the model gives none of the 30 faces of veil that label, whatever the threshold" in judged.notes


def test_where_val_decides_nothing_the_best_f1_is_in_force():
    judged = _appraised(_crowd(pictures=10), threshold="recall")
    assert judged.policy == BEST_F1
    assert "val cannot decide any class by recall" in judged.notes
    row = _row(judged, "recall")
    assert (row.classes, row.false_alarms, row.in_force) == ({}, None, False)
    assert _row(judged, "best-f1").in_force
    assert "| recall 90% | – | – |" in markdown_report(judged)


def test_a_model_without_bare_faces_has_no_safe_thresholds():
    judged = _appraised(_crowd(), labels=("cap", "hat"))
    assert _row(judged, "safe").classes == {}
    assert _row(judged, "recall").bare_passed is None
    text = markdown_report(judged)
    assert "| safe 2% | – | – |" in text
    assert "safe 2%: no label has the role masked, or none bare" in text


def test_a_class_that_val_lacks():
    judged = _appraised(_crowd(), labels=(*LABELS, "mask_weared_incorrect"), threshold="recall")
    row = _row(judged, "recall").classes["mask_weared_incorrect"]
    assert (row.threshold, row.recall.of, row.recall.value) == (0.5, 0, None)
    assert "val has 0 faces of mask_weared_incorrect" in " ".join(judged.notes)


def test_thresholds_inside_a_model_are_in_force_under_the_policy_that_it_states():
    chosen = _appraised(_crowd(), threshold="safe")
    policy = ThresholdPolicy(name="safe", parameter=0.02)
    same = _appraised(_crowd(), shipped=Shipped(chosen.thresholds, policy))
    assert [(each.policy.name, each.in_force) for each in same.policies] == [
        ("safe", True),
        ("best-f1", False),
        ("recall", False),
        ("promise", False),
    ]
    other = _appraised(_crowd(), shipped=Shipped({"with_mask": 0.6, "without_mask": 0.02}, policy))
    assert [each.in_force for each in other.policies] == [True, False, False, False, False]
    assert other.policies[0].classes["without_mask"].threshold == 0.02


def test_without_a_stated_policy_none_is_claimed():
    chosen = _appraised(_crowd(), threshold="safe").thresholds
    judged = _appraised(_crowd(), shipped=Shipped(chosen, ThresholdPolicy()))
    assert [each.policy.name for each in judged.policies] == [
        "unknown",
        "safe",
        "best-f1",
        "recall",
        "promise",
    ]
    text = markdown_report(judged)
    assert "In force: without a stated policy (those inside the model file)" in text
    assert "| **unknown, in force** | with_mask |" in text
    assert "| safe 2% | with_mask |" in text


def test_numbers_of_the_pipeline_file_are_given():
    judged = _appraised(_crowd(), threshold={"with_mask": 0.9})
    assert (judged.policy.name, judged.source) == ("given", "pipeline file")
    assert [each.policy.name for each in judged.policies] == ["given", "safe", "best-f1", "recall", "promise"]


def test_metrics_hold_all_of_it():
    written = json.loads(json.dumps(_appraised(_crowd(), threshold="safe").to_json(), allow_nan=False))
    assert written["threshold_policy"] == {"name": "safe", "parameter": 0.02}
    assert written["threshold_source"] == "val"
    safe = written["policies"][0]
    assert safe["policy"] == written["threshold_policy"]
    assert safe["in_force"] is True
    assert set(safe["classes"]["with_mask"]) == {"threshold", "recall", "recall_wide", "precision"}
    assert safe["bare_passed"]["of"] == 50


def test_thresholds_lowered_together_are_judged_as_a_model_stores_them():
    search = ThresholdSearch(pool(_crowd()), lambda thresholds: round(1e6 * abs(thresholds[MASK] - 0.3)))
    chosen = search.scaled(np.array([0.7317, 0.5123], np.float32), np.array([MASK, BARE]))
    assert chosen[MASK] == pytest.approx(0.3, abs=0.05)
    assert chosen.tolist() == chosen.round(4).tolist()


def test_a_policy_in_place_of_a_label_is_refused_with_the_way_to_say_it():
    with pytest.raises(UsageError, match="no label recall") as caught:
        _appraised(_crowd(), threshold={"recall": 0.9})
    assert caught.value.hint == "write eval.threshold: recall and eval.min_recall"
