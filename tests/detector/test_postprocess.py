from __future__ import annotations

import numpy as np
import pytest

from maskdet.detector.postprocess import to_detections
from maskdet.detector.settings import NmsSettings
from maskdet.types import Detections, FloatArray

SIZE = (100, 200)


def post(boxes: object, scores: object, picture_size: tuple[int, int] = SIZE, **nms: float) -> Detections:
    return to_detections(
        np.asarray(boxes, np.float32).reshape(-1, 4),
        np.asarray(scores, np.float32).reshape(-1, 2),
        picture_size=picture_size,
        input_size=SIZE,
        nms=NmsSettings(**nms),
    )


A, B, FAR = [10, 10, 50, 50], [12, 10, 52, 50], [100, 60, 140, 90]


def test_nothing_above_the_threshold_is_a_normal_answer() -> None:
    found = post([A, B], [[0.01, 0], [0, 0.02]])
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)
    assert (found.boxes.dtype, found.scores.dtype, found.class_ids.dtype) == (
        np.float32,
        np.float32,
        np.int64,
    )


def test_no_anchors_is_a_normal_answer() -> None:
    assert len(post([], [])) == 0


def test_the_better_of_two_overlapping_boxes_of_a_class_stays() -> None:
    found = post([A, B, FAR], [[0.6, 0], [0.9, 0], [0.3, 0]])
    assert found.boxes.tolist() == [B, FAR]
    assert np.allclose(found.scores, [0.9, 0.3])
    assert (found.boxes.dtype, found.scores.dtype, found.class_ids.dtype) == (
        np.float32,
        np.float32,
        np.int64,
    )


def test_classes_do_not_suppress_each_other() -> None:
    found = post([A, A], [[0.6, 0], [0, 0.9]])
    assert found.class_ids.tolist() == [1, 0]


def test_classes_do_not_suppress_each_other_across_the_edge() -> None:
    found = post([[150, 50, 200, 100], [-50, -50, 1, 1]], [[0.9, 0], [0, 0.8]], iou_threshold=0.0)
    assert len(found) == 2


def test_one_box_may_be_of_two_classes() -> None:
    assert post([A], [[0.6, 0.7]]).class_ids.tolist() == [1, 0]


@pytest.mark.parametrize(("iou_threshold", "count"), [(0.89, 2 - 1), (0.91, 2)])
def test_the_iou_threshold_is_of_boxes_without_the_extra_pixel(iou_threshold: float, count: int) -> None:
    # Intersection 38 * 40, union 42 * 40: 0.905. With one pixel more a side it would be 0.907.
    assert len(post([A, B], [[0.6, 0], [0.9, 0]], iou_threshold=iou_threshold)) == count


def test_a_score_equal_to_the_threshold_counts() -> None:
    assert len(post([A], [[0.5, 0]], score_threshold=0.5)) == 1


def test_top_k_is_of_each_class_before_suppression() -> None:
    boxes = [[x, y, x + 8, y + 8] for y in (0, 20, 40) for x in range(0, 200, 20)]
    scores = np.zeros((30, 2))
    scores[:20, 0] = np.linspace(0.9, 0.5, 20)
    scores[20:, 1] = np.linspace(0.4, 0.1, 10)
    found = post(boxes, scores, top_k=4)
    assert found.class_ids.tolist() == [0] * 4 + [1] * 4
    assert np.allclose(found.scores[4:], scores[20:24, 1])


def test_keep_is_of_the_whole_picture_after_suppression() -> None:
    boxes = [[x, 0, x + 8, 8] for x in range(0, 200, 20)]
    scores = np.stack([np.linspace(0.1, 0.9, 10), np.linspace(0.85, 0.05, 10)], axis=1)
    found = post(boxes, scores, keep=3)
    assert np.allclose(found.scores, [0.9, 0.85, 0.9 - 0.8 / 9])


def test_ties_go_by_class_then_by_anchor() -> None:
    boxes = [[x, 0, x + 8, 8] for x in (0, 20, 40)]
    found = post(boxes, np.full((3, 2), 0.5))
    assert found.class_ids.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.boxes[:, 0].tolist() == [0, 20, 40] * 2


def test_boxes_are_scaled_each_way_and_clipped() -> None:
    found = post([[-10, 20, 50, 120]], [[0.9, 0]], picture_size=(300, 100))
    assert found.boxes.tolist() == [[0, 60, 25, 300]]


def test_boxes_outside_the_picture_are_dropped() -> None:
    assert len(post([[-20, -20, -5, -5], [201, 10, 220, 30], [30, 30, 30, 60]], [[0.9, 0]] * 3)) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_dropped(bad: float) -> None:
    found = post([[bad, 10, 50, 50], FAR], [[0.9, 0], [0.8, 0]])
    assert found.boxes.tolist() == [FAR]
    assert len(post([A], [[np.nan, np.nan]])) == 0


def test_the_given_arrays_stay_as_they_are() -> None:
    boxes, scores = np.array([A, B], np.float32), np.array([[0.9, 0.2], [0.8, 0.1]], np.float32)
    before = boxes.copy(), scores.copy()
    to_detections(boxes, scores, picture_size=(7, 7), input_size=SIZE, nms=NmsSettings())
    assert np.array_equal(boxes, before[0])
    assert np.array_equal(scores, before[1])


def crowd() -> tuple[FloatArray, FloatArray]:
    """Boxes and scores of 3000 anchors that overlap, many with equal scores."""
    random = np.random.default_rng(0)
    corners = random.uniform(0, 80, (3000, 2))
    boxes = np.concatenate([corners, corners + random.uniform(5, 40, (3000, 2))], axis=1)
    return boxes.astype(np.float32), random.uniform(0, 1, (3000, 2)).round(2).astype(np.float32)


@pytest.mark.parametrize("keep", [1, 7, 100, 5000])
def test_a_crowd_is_answered_as_if_all_candidates_were_compared(keep: int) -> None:
    whole = post(*crowd(), keep=10_000, top_k=5000)
    found = post(*crowd(), keep=keep, top_k=5000)
    assert len(found) == min(keep, len(whole)) > 0
    assert np.array_equal(found.boxes, whole.boxes[:keep])
    assert np.array_equal(found.scores, whole.scores[:keep])


@pytest.mark.parametrize("score", [0, 0.2, 0.77, 0.99, 1])
@pytest.mark.parametrize("limits", [{"keep": 10_000}, {"keep": 40}, {"keep": 40, "top_k": 60}])
def test_what_is_found_from_a_score_on_is_what_was_found_before(score: float, limits: dict[str, int]) -> None:
    nms = NmsSettings(**limits)
    sizes = {"picture_size": SIZE, "input_size": SIZE}
    whole = to_detections(*crowd(), **sizes, nms=nms)
    above = whole.select(whole.scores >= np.float32(score))
    found = to_detections(*crowd(), **sizes, nms=nms.from_score(score))
    assert np.array_equal(found.boxes, above.boxes)
    assert np.array_equal(found.scores, above.scores)
    assert np.array_equal(found.class_ids, above.class_ids)


def test_no_score_leads_below_the_threshold_of_nms() -> None:
    assert NmsSettings(score_threshold=0.3).from_score(-1).score_threshold == 0.3
