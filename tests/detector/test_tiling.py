from __future__ import annotations

import numpy as np
import pytest
from support import LABELS, cell_box, paint

from maskdet.detector.detector import Detector
from maskdet.detector.settings import NmsSettings
from maskdet.detector.tiling import PLAIN, Look, detect_closely, merge, tiles
from maskdet.types import Detections


class Painted:
    """Stands in for a detector: finds each coloured patch of what it is shown, whole or cut."""

    def __init__(self, detector: Detector) -> None:
        self.meta = detector.meta
        self.seen: list[tuple[int, int]] = []

    def detect(
        self, picture: np.ndarray, size: tuple[int, int] | None = None, *, from_score: float = 0
    ) -> Detections:
        self.seen.append(picture.shape[:2])
        rows = [
            (*np.flatnonzero(own.any(axis=0))[[0, -1]], *np.flatnonzero(own.any(axis=1))[[0, -1]])
            for own in (picture[..., channel] > 0 for channel in range(3))
            if own.any()
        ]
        boxes = np.array([(x1, y1, x2 + 1, y2 + 1) for x1, x2, y1, y2 in rows], np.float32).reshape(-1, 4)
        ids = [channel for channel in range(3) if (picture[..., channel] > 0).any()]
        return Detections(boxes, np.full(len(ids), 0.9, np.float32), np.array(ids, np.int64))


@pytest.mark.parametrize("size", [(100, 180), (101, 57), (7, 7), (2, 2), (1, 1)])
def test_tiles_cover_the_picture_and_overlap_by_a_fifth(size: tuple[int, int]) -> None:
    height, width = size
    covered = np.zeros(size, int)
    for left, top, right, bottom in tiles(height, width):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        covered[top:bottom, left:right] += 1
    assert covered.min() >= 1
    (_, _, first, _), (second, _, _, _) = tiles(height, width)[:2]
    assert first - second >= 0.2 * first - 1


@pytest.mark.parametrize("look", [Look(tile=True), Look(flip=True), Look(tile=True, flip=True)])
def test_every_look_finds_the_same_faces_once_and_whole(detector: Detector, look: Look) -> None:
    picture = np.zeros((90, 180, 3), np.uint8)
    # In the first tile only; across the inner edge of the left tiles (100); across all four.
    picture[10:20, 30:45, 0] = 255
    picture[5:15, 95:112, 1] = 255
    picture[40:55, 84:99, 2] = 255
    found = detect_closely(Painted(detector), picture, look)  # type: ignore[arg-type]
    assert sorted(zip(found.class_ids.tolist(), found.boxes.tolist(), strict=True)) == [
        (0, [30, 10, 45, 20]),
        (1, [95, 5, 112, 15]),
        (2, [84, 40, 99, 55]),
    ]


@pytest.mark.parametrize("look", [PLAIN, Look(tile=True), Look(flip=True), Look(tile=True, flip=True)])
def test_boxes_are_those_of_the_whole_picture_where_a_fraction_was_decoded(
    detector: Detector, look: Look
) -> None:
    found = detect_closely(detector, paint({(0, 5): "with_mask"}, 240, 360), look, (481, 719))
    best = found.above(detector.thresholds)
    assert np.allclose(best.boxes[0], cell_box(0, 5, 481, 719), atol=1e-2)


@pytest.mark.parametrize("input_size", [(416, 416), (320, 640), (33, 47)])
def test_what_is_decoded_for_tiles_gives_each_the_input_size(input_size: tuple[int, int]) -> None:
    for look in (PLAIN, Look(flip=True)):
        assert look.least_size(input_size) == input_size
    height, width = Look(tile=True).least_size(input_size)
    for left, top, right, bottom in tiles(height, width):
        assert bottom - top >= input_size[0]
        assert right - left >= input_size[1]


@pytest.mark.parametrize(
    ("look", "passes"), [(PLAIN, 1), (Look(tile=True), 5), (Look(flip=True), 2), (Look(True, True), 10)]
)
def test_the_number_of_passes_is_bounded(detector: Detector, look: Look, passes: int) -> None:
    painted = Painted(detector)
    detect_closely(painted, np.zeros((300, 5000, 3), np.uint8), look)  # type: ignore[arg-type]
    assert len(painted.seen) == passes


def test_a_real_detector_looks_closely(detector: Detector) -> None:
    picture = paint({(0, 0): "with_mask"}, 480, 720)
    found = detect_closely(detector, picture, Look(flip=True)).above(detector.thresholds)
    assert [LABELS[class_id] for class_id in found.class_ids] == ["with_mask"]
    assert np.allclose(found.boxes, [cell_box(0, 0, 480, 720)], atol=1e-2)


def test_nothing_found_in_any_pass() -> None:
    assert len(merge([Detections.empty(), Detections.empty()], NmsSettings())) == 0


def test_merging_keeps_the_best_of_a_face_and_no_more_than_asked_for() -> None:
    boxes = np.array([[0, 0, 10, 10], [50, 0, 60, 10]], np.float32)
    one = Detections(boxes, np.array([0.8, 0.3], np.float32), np.zeros(2, np.int64))
    two = Detections(boxes + 1, np.array([0.9, 0.2], np.float32), np.zeros(2, np.int64))
    merged = merge([one, two], NmsSettings())
    assert merged.scores.tolist() == pytest.approx([0.9, 0.3])
    assert len(merge([one, two], NmsSettings(keep=1))) == 1
