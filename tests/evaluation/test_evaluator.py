"""The whole evaluation: small cases by hand, and what must hold for any scenes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from slots import scene

from maskdet.errors import BundleError, DatasetError
from maskdet.evaluation.evaluator import evaluate
from maskdet.types import ANY_CLASS, Detections, GroundTruth

LABELS = ("with_mask", "without_mask")
MASK, BARE = 0, 1
PLAIN, HARD = False, True
SEEDS = range(5)


ONE, TWO = [(0, MASK, PLAIN)], [(0, MASK, PLAIN), (1, MASK, PLAIN)]


@pytest.mark.parametrize(
    ("faces", "found", "ap50", "ap50_95", "counts"),
    [
        pytest.param(TWO, [(0, MASK, 0.9), (1, MASK, 0.8)], 1, 1, (2, 0, 0), id="perfect"),
        pytest.param(TWO, [], 0, 0, (0, 0, 2), id="nothing found"),
        pytest.param(TWO, [(5, MASK, 0.9), (6, MASK, 0.8)], 0, 0, (0, 2, 2), id="all beside"),
        pytest.param(TWO, [(0, MASK, 0.9)], 1 / 2, 51 / 101, (1, 0, 1), id="half found"),
        pytest.param(
            ONE, [(0, MASK, 0.9), (0, MASK, 0.8)], 1, 1, (1, 0, 0), id="duplicate is false, but late"
        ),
        pytest.param(
            TWO,
            [(0, MASK, 0.9), (0, MASK, 0.8), (1, MASK, 0.7)],
            (1 + 2 / 3) / 2,
            (51 + 50 * 2 / 3) / 101,
            (2, 0, 0),
            id="duplicate is false, and early",
        ),
        pytest.param(ONE, [(5, MASK, 0.9), (0, MASK, 0.8)], 1 / 2, 1 / 2, (1, 1, 0), id="false one first"),
        pytest.param(ONE, [(0, MASK, 0.8), (5, MASK, 0.9)], 1 / 2, 1 / 2, (1, 1, 0), id="worst score first"),
        pytest.param(
            ONE, [(5, MASK, 0.8), (0, MASK, 0.8)], 1 / 2, 1 / 2, (1, 1, 0), id="equal scores keep order"
        ),
        pytest.param(
            ONE, [(0, MASK, 0.9), (5, MASK, 0.4)], 1, 1, (1, 0, 0), id="false one below the threshold"
        ),
        pytest.param(ONE, [(0, BARE, 0.9)], 0, 0, (0, 0, 1), id="called another class"),
        # 10 px moved by 2: overlap 8/12 plain, so 4 of the 10 COCO thresholds hold.
        pytest.param(ONE, [(0.1, MASK, 0.9)], 1, 0.4, (1, 0, 0), id="a little off"),
        # Moved by 3.4: 6.6/13.4 plain is under 0.5, 7.6/14.4 with inclusive pixels is over it.
        pytest.param(ONE, [(0.17, MASK, 0.9)], 1, 0, (1, 0, 0), id="only inclusive pixels reach it"),
        pytest.param(
            [*ONE, (1, MASK, HARD)],
            [(1, MASK, 0.9), (0, MASK, 0.8)],
            1,
            1,
            (1, 0, 0),
            id="difficult found: ignored",
        ),
        pytest.param(
            [*ONE, (1, MASK, HARD)], [(0, MASK, 0.8)], 1, 1, (1, 0, 0), id="difficult missed: ignored"
        ),
    ],
)
def test_one_picture_of_one_class(faces, found, ap50, ap50_95, counts):
    judged = evaluate([scene(faces, found)], LABELS, thresholds=0.5)
    assert judged.ap50 == pytest.approx(ap50)
    assert judged.ap50_95 == pytest.approx(ap50_95)
    mask = judged.classes[MASK]
    assert (mask.true_positives, mask.false_positives, mask.misses) == counts


def test_mean_is_over_the_classes_that_val_has():
    faces = [(0, MASK, PLAIN), (1, MASK, PLAIN), (2, BARE, PLAIN)]
    drawn = scene(faces, [(0, MASK, 0.9), (2, BARE, 0.8), (5, 2, 0.7)])
    judged = evaluate([drawn], (*LABELS, "unseen"), thresholds=0.5)
    assert [each.ap50 for each in judged.classes] == [0.5, 1.0, None]
    assert judged.ap50 == 0.75
    assert judged.notes == ("val has no unseen: it has no AP and is left out of the mean",)
    unseen = judged.classes[2]
    assert (unseen.precision, unseen.recall, unseen.f1, unseen.false_positives) == (0.0, None, 0.0, 1)


def test_class_with_difficult_faces_only_says_so():
    judged = evaluate([scene([*ONE, (1, BARE, HARD)], [])], LABELS, thresholds="best-f1")
    assert judged.notes == (
        "val has no without_mask but 1 difficult: it has no AP and is left out of the mean",
    )
    assert judged.thresholds == {"with_mask": 0.5, "without_mask": 0.5}


def test_a_face_of_any_class_is_ignored_under_every_label_and_difficult_under_none():
    faces = [*ONE, (1, BARE, PLAIN), (2, ANY_CLASS, HARD)]
    found = [(0, MASK, 0.9), (1, BARE, 0.9), (2, MASK, 0.95), (2, BARE, 0.8)]
    judged = evaluate([scene(faces, found)], LABELS, thresholds=0.5)
    assert [(each.ap50, each.ap50_95, each.difficult) for each in judged.classes] == [(1, 1, 0), (1, 1, 0)]
    assert [each.false_positives for each in judged.classes] == [0, 0]
    assert judged.confusion.sum() == 2
    lacking = evaluate([scene([*ONE, (2, ANY_CLASS, HARD)], [])], LABELS, thresholds=0.5)
    assert lacking.notes == ("val has no without_mask: it has no AP and is left out of the mean",)


def test_faces_found_whatever_they_are_called():
    judged = evaluate(
        [scene([*ONE, (1, BARE, PLAIN)], [(0, BARE, 0.9), (1, MASK, 0.8)])], LABELS, thresholds=0.5
    )
    assert (judged.ap50, judged.ap50_any_class) == (0.0, 1.0)
    assert judged.confusion.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_rates_at_each_class_threshold():
    faces = [(0, MASK, PLAIN), (1, MASK, PLAIN), (2, BARE, PLAIN)]
    found = [(0, MASK, 0.9), (1, MASK, 0.6), (2, BARE, 0.3), (5, MASK, 0.2), (6, BARE, 0.1)]
    judged = evaluate([scene(faces, found)], LABELS, thresholds="best-f1")
    assert judged.thresholds == pytest.approx({"with_mask": 0.4, "without_mask": 0.2})
    assert [(each.precision, each.recall, each.f1) for each in judged.classes] == [(1.0, 1.0, 1.0)] * 2
    at_half = evaluate([scene(faces, found)], LABELS, thresholds=0.5)
    assert at_half.thresholds == {"with_mask": 0.5, "without_mask": 0.5}
    bare = at_half.classes[BARE]
    assert (bare.precision, bare.recall, bare.f1) == (None, 0.0, 0.0)


def test_threshold_found_can_be_given_again(make_scenes):
    scenes = make_scenes(3, classes=2, tied=True)
    best = evaluate(scenes, LABELS, thresholds="best-f1")
    again = evaluate(scenes, LABELS, thresholds=json.loads(json.dumps(best.thresholds)))
    assert again.to_json() == best.to_json()


def test_thresholds_left_out_are_those_of_the_best_f1(make_scenes):
    scenes = make_scenes(3, classes=2)
    best = evaluate(scenes, LABELS, thresholds="best-f1").thresholds
    one = evaluate(scenes, LABELS, thresholds={"with_mask": 0.31}).thresholds
    assert one == {"with_mask": 0.31, "without_mask": best["without_mask"]}


def test_a_face_found_as_two_classes_counts_once():
    drawn = scene(ONE, [(0, MASK, 0.9), (0, BARE, 0.8)])
    judged = evaluate([drawn], LABELS, thresholds=0.5)
    assert judged.confusion.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert judged.classes[BARE].false_positives == 0
    other = evaluate([drawn], LABELS, thresholds={"with_mask": 0.8, "without_mask": 0.5})
    assert other.confusion.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]


def test_json_and_summary_are_flat_and_finite():
    judged = evaluate([scene(TWO, [(0, MASK, 0.9)])], LABELS, thresholds="best-f1")
    written = json.loads(json.dumps(judged.to_json(), allow_nan=False))
    assert written["classes"]["without_mask"]["ap50"] is None
    assert written["classes"]["with_mask"]["recall"] == 0.5
    assert written["confusion"]["labels"] == [*LABELS, "background"]
    summary = judged.summary()
    assert summary["ap50"] == summary["ap50.with_mask"] == 0.5
    assert "ap50.without_mask" not in summary
    assert all(type(value) is float for value in summary.values())


@pytest.mark.parametrize(
    ("scenes", "error", "what"),
    [
        pytest.param([], DatasetError, r"no labelled face that counts \(pictures: 0\)", id="no picture"),
        pytest.param([scene([], [])], DatasetError, "pictures: 1", id="no face"),
        pytest.param([scene([(0, MASK, HARD)], [])], DatasetError, "no labelled face", id="difficult only"),
        pytest.param([scene([(0, 2, PLAIN)], [])], DatasetError, "class id 2", id="face of unknown class"),
        pytest.param([scene(ONE, [(0, 7, 0.9)])], BundleError, "class id 7", id="detection of unknown class"),
        pytest.param([scene(ONE, [(0, MASK, np.nan)])], BundleError, "not finite", id="score is nan"),
        pytest.param([scene(ONE, [(np.inf, MASK, 0.9)])], BundleError, "not finite", id="box is infinite"),
    ],
)
def test_what_cannot_be_judged_is_refused(scenes, error, what):
    with pytest.raises(error, match=what) as caught:
        evaluate(scenes, LABELS, thresholds=0.5)
    assert caught.value.hint


def _figures(scenes):
    written = evaluate(iter(scenes), ("a", "b", "c"), thresholds="best-f1").to_json()
    return json.dumps(written)


@pytest.mark.parametrize("seed", SEEDS)
def test_order_of_pictures_and_detections_does_not_matter(make_scenes, seed):
    scenes = make_scenes(seed, difficult=0.2)
    rng = np.random.default_rng(seed)
    shuffled = [(truth, found.select(rng.permutation(len(found)))) for truth, found in scenes]
    rng.shuffle(shuffled)
    assert _figures(shuffled) == _figures(scenes)


@pytest.mark.parametrize("seed", SEEDS)
def test_pictures_without_faces_and_detections_only_add_to_their_count(make_scenes, seed):
    scenes = make_scenes(seed)
    blank = (
        GroundTruth(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, bool)),
        Detections.empty(),
    )
    alone, padded = (
        evaluate(each, ("a", "b", "c"), thresholds=0.5).to_json()
        for each in (scenes, [blank, *scenes, blank])
    )
    assert padded == {**alone, "pictures": alone["pictures"] + 2}


@pytest.mark.parametrize("seed", SEEDS)
def test_another_false_positive_never_raises_ap(make_scenes, seed):
    scenes = make_scenes(seed, difficult=0.2)
    rng = np.random.default_rng(seed)
    before = evaluate(scenes, ("a", "b", "c"), thresholds=0.5)
    for _ in range(10):
        place = int(rng.integers(len(scenes)))
        truth, found = scenes[place]
        far = Detections(
            np.concatenate([found.boxes, np.array([[9000, 9000, 9050, 9050]], np.float32)]),
            np.append(found.scores, np.float32(rng.random())),
            np.append(found.class_ids, rng.integers(3)),
        )
        after = evaluate(
            [*scenes[:place], (truth, far), *scenes[place + 1 :]], ("a", "b", "c"), thresholds=0.5
        )
        for name, value in after.overall().items():
            assert 0 <= value <= before.overall()[name] <= 1


def test_callers_arrays_are_left_alone(make_scenes):
    scenes = make_scenes(1, difficult=0.3)
    for truth, found in scenes:
        for array in (
            truth.boxes,
            truth.class_ids,
            truth.difficult,
            found.boxes,
            found.scores,
            found.class_ids,
        ):
            array.flags.writeable = False
    assert _figures(scenes) == _figures(make_scenes(1, difficult=0.3))
