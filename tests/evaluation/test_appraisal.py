"""Safety, slices, mistakes and the safe policy on small scenes. Faces are 20 px high, 100 px apart."""

from __future__ import annotations

import json

import numpy as np
import pytest
from slots import scene, wide_scene

from maskdet.detector.threshold_policy import BEST_F1, ThresholdPolicy
from maskdet.errors import DatasetError, UsageError
from maskdet.evaluation.appraisal import appraise
from maskdet.evaluation.class_match import Meanings
from maskdet.evaluation.policies.compared import Shipped
from maskdet.evaluation.report.report import markdown_report
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.views import View
from maskdet.types import ANY_CLASS
from maskdet.wording.lexicon import label_roles

LABELS = ("with_mask", "without_mask", "mask_weared_incorrect")
MASK, BARE, WRONG = range(3)
SIZE = (320, 320)


def _appraised(scenes, labels=LABELS, luma=100.0, size=SIZE, meanings=None, **settings):
    views = [View(f"{number}.jpg", size, luma) for number in range(len(scenes))]
    chosen = EvalSettings(**{"threshold": 0.5, "calibrate": False, **settings})
    return appraise(scenes, views, labels, chosen, SIZE, meanings=meanings)


def _counts(judged):
    return {name: (rate.count, rate.of) for name, rate in judged.safety.rates.items()}


def test_what_faces_are_taken_for():
    faces = [(0, BARE, 20), (1, BARE, 20), (2, BARE, 12), (3, WRONG, 20), (4, WRONG, 20), (5, MASK, 20)]
    found = [
        (0, MASK, 0.9, 20),
        (2, MASK, 0.8, 12),
        (3, MASK, 0.7, 20),
        (4, BARE, 0.7, 20),
        (5, BARE, 0.6, 20),
    ]
    judged = _appraised([wide_scene(faces, [*found, (8, MASK, 0.9, 20)])])
    assert _counts(judged) == {
        "bare_passed": (2, 3),
        "bare_passed_wide": (1, 2),
        "bare_passed_any": (2, 3),
        "bare_passed_any_wide": (1, 2),
        "masked_as_bare": (1, 1),
        "worn_wrong_as_masked": (1, 2),
        "worn_wrong_as_bare": (1, 2),
        "false_alarms_per_1000": (1, 6),
    }
    assert judged.safety.rates["false_alarms_per_1000"].value == pytest.approx(1000 / 6)


def test_the_better_label_of_a_face_is_the_answer_and_the_other_is_told_as_well():
    judged = _appraised([wide_scene([(0, BARE, 20)], [(0, BARE, 0.9, 20), (0, MASK, 0.8, 20)])])
    counts = _counts(judged)
    assert (counts["bare_passed"], counts["bare_passed_any"]) == ((0, 1), (1, 1))


def test_width_is_taken_at_network_scale():
    scene = wide_scene([(0, BARE, 20)], [(0, MASK, 0.9, 20)])
    assert _counts(_appraised([scene], size=(640, 640)))["bare_passed_wide"] == (0, 0)
    assert _counts(_appraised([scene], size=(640, 320)))["bare_passed_wide"] == (1, 1)


def test_other_labels_play_the_same_roles():
    scene = wide_scene([(0, 1, 20)], [(0, 0, 0.9, 20)])
    assert _counts(_appraised([scene], labels=("mask", "face")))["bare_passed"] == (1, 1)
    assert set(_counts(_appraised([scene], labels=("cap", "hat")))) == {"false_alarms_per_1000"}
    meant = Meanings({"cap": "masked", "hat": "bare"}, {"cap": "cap", "hat": "hat"})
    given = _appraised([scene], labels=("cap", "hat"), meanings=meant)
    assert _counts(given)["bare_passed"] == (1, 1)


def test_a_label_that_does_not_exist_is_refused():
    with pytest.raises(UsageError, match="no label with_masks") as caught:
        _appraised([wide_scene([(0, BARE, 20)], [])], threshold={"with_masks": 0.5})
    assert "with_mask" in caught.value.hint


def _of_two_classes(scenes):
    """Judged as a model that has no class for masks worn wrong."""
    partners = {"with_mask": "mask", "without_mask": "bare", "mask_weared_incorrect": None}
    return _appraised(scenes, meanings=Meanings(label_roles(LABELS), partners))


def test_a_class_that_the_model_lacks_is_not_measured_but_its_faces_count_for_safety():
    faces = [(0, MASK, 20), (1, BARE, 20), (2, WRONG, 20)]
    found = [(0, MASK, 0.9, 20), (2, MASK, 0.8, 20), (1, BARE, 0.7, 20)]
    judged = _of_two_classes([*[wide_scene(faces, found)] * 12, wide_scene([], [(4, MASK, 0.95, 20)])])
    assert (judged.ap50, judged.classes[WRONG].ap50, judged.classes[BARE].ap50) == (
        pytest.approx((judged.classes[MASK].ap50 + 1) / 2),
        None,
        1.0,
    )
    assert judged.ap50_interval[1] > 0.7
    assert _counts(judged)["worn_wrong_as_masked"] == (12, 12)
    assert _slice(judged, "face_pixels", "16-32").recall == 1.0
    lacking = judged.to_json()["classes"]["mask_weared_incorrect"]
    assert (lacking["truths"], lacking["ap50"], lacking["recall"], lacking["threshold"]) == (
        12,
        None,
        None,
        None,
    )
    row = next(line for line in markdown_report(judged).splitlines() if "mask_weared_incorrect | 12" in line)
    assert row == "| mask_weared_incorrect | 12 | – | – | – | – | – | – | 0 | 0 | 12 |"


def test_without_a_face_of_a_class_that_the_model_knows_there_is_nothing_to_judge():
    with pytest.raises(DatasetError, match="that the model lacks: mask_weared_incorrect"):
        _of_two_classes([wide_scene([(0, WRONG, 20)], [(0, MASK, 0.9, 20)])])


def _slice(judged, axis, name):
    [one] = [each for each in judged.slices if (each.axis, each.name) == (axis, name)]
    return one


def test_slices_by_width_leave_other_widths_out():
    faces = [(number, MASK, 20) for number in range(10)] + [(number, MASK, 40) for number in range(10, 20)]
    found = [(number, MASK, 0.9, 20) for number in range(10)]
    alarms = [(30, MASK, 0.95, 40), (31, MASK, 0.95, 20)]
    judged = _appraised([wide_scene(faces, [*found, *alarms])])
    small, large = _slice(judged, "face_pixels", "16-32"), _slice(judged, "face_pixels", ">32")
    assert (small.faces, small.recall, large.faces, large.recall) == (10, 1.0, 10, 0.0)
    # One false alarm of its own width before ten hits: the mean of 1/2, 2/3, ... 10/11.
    assert small.classes["with_mask"].ap50 == pytest.approx(np.mean([n / (n + 1) for n in range(1, 11)]))
    assert large.classes["with_mask"].ap50 == 0.0
    assert _slice(judged, "face_pixels", "8-16").recall is None


def test_slices_by_picture():
    one, three = [(0, MASK, 20)], [(0, MASK, 20), (1, MASK, 20), (2, BARE, 20)]
    judged = _appraised(
        [wide_scene(one, [(0, MASK, 0.9, 20)]), wide_scene(three, [(2, MASK, 0.9, 20)])], luma=30.0
    )
    alone, few = (_slice(judged, "faces_per_picture", name) for name in ("1", "2-5"))
    assert (alone.pictures, alone.faces, alone.recall) == (1, 1, 1.0)
    assert (few.pictures, few.faces, few.recall) == (1, 3, 0.0)
    assert (few.bare_passed.count, few.bare_passed.of) == (1, 1)
    dark = _slice(judged, "brightness", "dark")
    assert (dark.pictures, dark.faces) == (2, 4)
    assert _slice(judged, "brightness", "bright").faces == 0


@pytest.mark.parametrize(("ignored", "name"), [(0, "1"), (1, "2-5"), (4, "2-5"), (5, "6-15")])
def test_a_face_of_any_class_counts_once_in_its_picture(ignored: int, name: str):
    faces = [(0, MASK, False), *((number, ANY_CLASS, True) for number in range(1, 1 + ignored))]
    judged = _appraised([scene(faces, [(number, BARE, 0.9) for number in range(1, 1 + ignored)])])
    [cut] = [one for one in judged.slices if one.axis == "faces_per_picture" and one.pictures]
    assert (cut.name, cut.faces) == (name, 1)
    assert _counts(judged)["false_alarms_per_1000"][0] == 0


def test_slices_by_collection():
    """A false alarm of one collection does not count in the other; a single collection makes no slice."""
    faces = [(number, MASK, 20) for number in range(10)]
    scenes = [
        wide_scene(faces, [(number, MASK, 0.9, 20) for number in range(10)]),
        wide_scene(faces, [(number, MASK, 0.8, 20) for number in range(5)]),
        wide_scene([], [(0, MASK, 0.99, 20)]),
    ]
    views = [View(f"{at}.jpg", SIZE, 100.0, name) for at, name in enumerate(("ours", "theirs", "theirs"))]
    judged = appraise(scenes, views, LABELS, EvalSettings(threshold=0.5), SIZE)
    ours, theirs = (_slice(judged, "collection", name) for name in ("ours", "theirs"))
    assert (ours.pictures, ours.faces, ours.recall, ours.classes["with_mask"].ap50) == (1, 10, 1.0, 1.0)
    assert (theirs.faces, theirs.recall) == (10, 0.5)
    # The false alarm comes before five hits of ten faces: a tenth of 1/2, 2/3, ... 5/6 each.
    expected = sum(n / (n + 1) for n in range(1, 6)) / 10
    assert theirs.classes["with_mask"].ap50 == pytest.approx(expected)
    assert "| collection: theirs | 1 | 10 |" in markdown_report(judged)
    alone = [View(each.path, SIZE, 100.0) for each in views]
    single = appraise(scenes, alone, LABELS, EvalSettings(threshold=0.5), SIZE)
    assert "collection" not in {each.axis for each in single.slices}


def test_mistakes_come_worst_first():
    faces = [(0, BARE, 20), (1, BARE, 20), (2, MASK, 20), (3, MASK, 40), (4, MASK, 20), (5, MASK, 20)]
    found = [
        (0, MASK, 0.6, 20),
        (1, MASK, 0.9, 20),
        (5, BARE, 0.6, 20),
        (4, MASK, 0.9, 20),
        (8, MASK, 0.7, 20),
    ]
    judged = _appraised([wide_scene(faces, found)])
    told = [(each.kind, (each.truth_box or each.said_box)[0] / 100) for each in judged.mistakes]
    assert told == [
        ("bare passed", 1),
        ("bare passed", 0),
        ("false alarm", 8),
        ("missed", 3),
        ("missed", 2),
        ("mixed up", 5),
    ]


def test_many_mistakes_are_shared_out():
    alarms = [wide_scene([(0, MASK, 20)], [(3, MASK, 0.9, 20)]) for _ in range(30)]
    passed = [wide_scene([(0, BARE, 20)], [(0, MASK, 0.9, 20)]) for _ in range(20)]
    kinds = [each.kind for each in _appraised([*alarms, *passed]).mistakes]
    assert len(kinds) == 24
    assert kinds[:12] == ["bare passed"] * 12
    assert {"false alarm", "missed"} < set(kinds)


def _crossing(bare_passed):
    """100 pictures of a masked and a bare face; so many bare ones look masked, with scores up to 0.7."""
    scenes = []
    for number in range(100):
        found = [(0, MASK, 0.6 + 0.004 * number, 20), (1, BARE, 0.6, 20)]
        if number < bare_passed:
            found.append((1, MASK, 0.62 + 0.001 * number, 20))
        scenes.append(wide_scene([(0, MASK, 20), (1, BARE, 20)], sorted(found, key=lambda row: -row[2])))
    return scenes


def test_safe_thresholds_keep_the_limit_that_the_best_f1_breaks():
    scenes = _crossing(bare_passed=10)
    assert _counts(_appraised(scenes, threshold=0.5))["bare_passed_wide"] == (10, 100)
    safe = _appraised(scenes, threshold="safe", max_bare_passed=0.02)
    count, of = _counts(safe)["bare_passed_wide"]
    assert (of, safe.policy, safe.notes[1:]) == (100, ThresholdPolicy(name="safe", parameter=0.02), ())
    assert count <= 1
    assert min(each.f1 for each in safe.classes[:2]) > 0.9


def test_safe_thresholds_say_what_cannot_be_reached():
    scenes = [
        wide_scene([(0, MASK, 20), (1, BARE, 20)], [(1, MASK, 0.99, 20), (0, MASK, 0.5, 20)])
        for _ in range(60)
    ]
    notes = " ".join(_appraised(scenes, threshold="safe").notes)
    assert "no thresholds let at most 2.0% of 60 bare faces" in notes


def test_few_bare_faces_let_none_pass_and_fewer_decide_nothing():
    some = _appraised(_crossing(bare_passed=10)[:30], threshold="safe", max_bare_passed=0.02)
    assert _counts(some)["bare_passed_wide"] == (0, 30)
    assert "too small to guarantee 2.0%" in " ".join(some.notes)
    few = _appraised(_crossing(bare_passed=5)[:10], threshold="safe")
    assert few.policy == BEST_F1
    assert "safe thresholds need 20" in " ".join(few.notes)


def test_a_model_that_detects_nothing_proves_nothing_of_its_false_alarms():
    judged = _appraised([wide_scene([(0, MASK, 20), (1, BARE, 20)], [])] * 8)
    alarms = next(term for term in judged.promise.terms if term.name == "false_alarms")
    assert (alarms.kept, alarms.proved) == (True, False)
    assert alarms.rate.interval == pytest.approx((0.0, 3.689 / 16), abs=1e-3)
    assert judged.ap50_interval is None
    assert "gives none of the 16 faces of val its label" in markdown_report(judged)


def test_alarms_on_pictures_that_are_all_alike_are_not_proved():
    scene = wide_scene([(slot, MASK, 20) for slot in range(20)], [(30, MASK, 0.9, 20)])
    judged = _appraised([scene] * 30)
    alarms = next(term for term in judged.promise.terms if term.name == "false_alarms")
    assert (alarms.kept, alarms.proved) == (True, False)


def test_a_class_with_few_faces_has_no_interval():
    scenes = [wide_scene([(0, MASK, 20)], [(0, MASK, 0.9, 20)])] * 10
    scenes += [wide_scene([(0, MASK, 20)], [(1, MASK, 0.95, 20)])] * 10
    judged = _appraised([*scenes, wide_scene([(0, WRONG, 20)], [(0, WRONG, 0.9, 20)])])
    mask, _, wrong = judged.classes
    assert mask.ap50_interval is not None
    assert (wrong.ap50, wrong.ap50_interval) == (1.0, None)


@pytest.mark.parametrize("policy", [ThresholdPolicy(), ThresholdPolicy(name="safe", parameter=0.1)])
def test_shipped_thresholds_stand_in_for_the_policy(make_scenes, policy):
    scenes = make_scenes(0)
    views = [View("a.jpg", SIZE, 100.0)] * len(scenes)
    shipped = Shipped({"with_mask": 0.11, "without_mask": 0.22, "mask_weared_incorrect": 0.33}, policy)
    judged = appraise(scenes, views, LABELS, EvalSettings(threshold="safe"), SIZE, shipped=shipped)
    assert (judged.thresholds, judged.policy) == (shipped.thresholds, policy)
    assert judged.source == "model file"


@pytest.mark.parametrize("seed", range(3))
def test_intervals_hold_the_figures_and_all_of_it_is_json(make_scenes, seed):
    scenes = make_scenes(seed, pictures=60, difficult=0.1)
    views = [View("a.jpg", SIZE, 100.0)] * len(scenes)
    judged = appraise(scenes, views, LABELS, EvalSettings(), SIZE)
    low, high = judged.ap50_interval
    assert low < judged.ap50 < high
    for each in judged.classes:
        assert each.ap50_interval[0] < each.ap50 < each.ap50_interval[1]
    written = json.loads(json.dumps(judged.to_json(), allow_nan=False))
    assert list(written["slices"]) == ["face_pixels", "faces_per_picture", "brightness"]
    assert written["threshold_policy"] == {"name": "best-f1", "parameter": None}
    by_width = written["slices"]["face_pixels"].values()
    assert sum(each["faces"] for each in by_width) == sum(each.truths for each in judged.classes)
