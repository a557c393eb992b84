from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from support import GRID, LABELS, cell_box, paint, write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.errors import PictureError


def test_faces_are_found_where_they_are_painted(detector: Detector) -> None:
    cells = {(0, 0): "with_mask", (3, 5): "without_mask", (7, 7): "mask_weared_incorrect"}
    found = detector.detect(paint(cells, 480, 720)).above(detector.thresholds)
    assert {LABELS[c] for c in found.class_ids} == set(cells.values())
    for (row, column), label in cells.items():
        box = found.boxes[found.class_ids == LABELS.index(label)]
        assert np.allclose(box, [cell_box(row, column, 480, 720)], atol=1e-3)


@pytest.mark.parametrize("shade", [0, 127, 255])
@pytest.mark.parametrize("size", [(1, 1), (64, 64), (50, 900)])
def test_no_face_is_a_normal_answer(detector: Detector, shade: int, size: tuple[int, int]) -> None:
    assert len(detector.detect(np.full((*size, 3), shade, np.uint8))) == 0


def test_candidates_reach_below_the_class_thresholds(detector: Detector) -> None:
    dim = paint({(2, 2): "with_mask"}) // 2
    found = detector.detect(dim)
    assert len(found) == 1
    assert 0.3 < found.scores[0] < 0.5
    assert len(found.above(detector.thresholds)) == 0


def test_what_is_wanted_from_a_score_on_is_all_that_comes(detector: Detector) -> None:
    picture = np.maximum(paint({(2, 2): "with_mask"}) // 2, paint({(5, 5): "without_mask"}))
    assert len(detector.detect(picture)) == 2
    [score] = detector.detect(picture, from_score=0.6).scores
    assert score > 0.9


def test_a_batch_equals_its_pictures_alone(detector: Detector) -> None:
    pictures = [paint({(n % GRID, n // GRID): LABELS[n % 3]}, 64 + n, 200 - n) for n in range(20)]
    pictures.insert(7, np.zeros((1, 1, 3), np.uint8))
    for picture, found in zip(pictures, detector.detect_batch(pictures), strict=True):
        alone = detector.detect(picture)
        assert np.array_equal(found.boxes, alone.boxes)
        assert np.allclose(found.scores, alone.scores, atol=1e-6)
        assert np.array_equal(found.class_ids, alone.class_ids)


def test_an_empty_batch(detector: Detector) -> None:
    assert detector.detect_batch([]) == []


def test_boxes_refer_to_the_size_given(detector: Detector) -> None:
    picture = paint({(1, 2): "with_mask"}, 128, 128)
    assert np.allclose(detector.detect(picture, (512, 1024)).boxes, [cell_box(1, 2, 512, 1024)], atol=1e-3)


def test_what_is_no_picture_is_refused(detector: Detector) -> None:
    with pytest.raises(PictureError):
        detector.detect(np.zeros((5, 5), np.uint8))


def test_thresholds_follow_the_labels_and_cannot_be_changed(tmp_path: Path) -> None:
    thresholds = {"without_mask": 0.25, "mask_weared_incorrect": 0.75, "with_mask": 0.5}
    detector = Detector(load_bundle(write_tiny_bundle(tmp_path / "m.onnx", thresholds=thresholds)), threads=1)
    assert detector.thresholds.tolist() == [0.5, 0.25, 0.75]
    with pytest.raises(ValueError, match="read-only"):
        detector.thresholds[0] = 0


def test_answers_are_never_swapped_between_threads(detector: Detector) -> None:
    cells = [(n % GRID, (3 * n) % GRID) for n in range(16)]
    pictures = [paint({cell: LABELS[n % 3]}, 100 + n, 300 - n) for n, cell in enumerate(cells)]
    wanted = [detector.detect(picture).boxes for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: detector.detect(pictures[n % 16]).boxes, range(480)))
    assert all(np.array_equal(boxes, wanted[n % 16]) for n, boxes in enumerate(found))
