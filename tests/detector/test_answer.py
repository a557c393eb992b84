from __future__ import annotations

import numpy as np
import pytest

from maskdet.detector.answer import answer
from maskdet.types import Detections

FACE, NEAR, HALF, ELSEWHERE = (0, 0, 10, 10), (1, 0, 11, 10), (4, 0, 14, 10), (50, 0, 60, 10)
MASKED, BARE = 0, 1


def found(*rows: tuple[int, float, tuple[float, ...]]) -> Detections:
    class_ids, scores, boxes = zip(*rows, strict=True)
    return Detections(
        np.array(boxes, np.float32), np.array(scores, np.float32), np.array(class_ids, np.int64)
    )


@pytest.mark.parametrize(
    ("rows", "thresholds", "kept"),
    [
        pytest.param([(MASKED, 0.4, FACE)], (0.5, 0.5), [], id="below its threshold"),
        pytest.param([(MASKED, 0.5, FACE)], (0.5, 0.5), [0], id="equal to its threshold"),
        pytest.param([(MASKED, 0.9, FACE), (BARE, 0.8, NEAR)], (0.5, 0.5), [0], id="the higher score"),
        pytest.param([(MASKED, 0.9, FACE), (BARE, 0.4, NEAR)], (0.5, 0.5), [0], id="only one is over"),
        pytest.param([(MASKED, 0.7, FACE), (BARE, 0.6, NEAR)], (0.6, 0.3), [1], id="further over its own"),
        pytest.param([(MASKED, 0.9, FACE), (BARE, 0.8, HALF)], (0.5, 0.5), [0, 1], id="two faces"),
        pytest.param(
            [(MASKED, 0.9, ELSEWHERE), (BARE, 0.8, FACE), (MASKED, 0.6, NEAR)], (0.5, 0.1), [0, 1], id="order"
        ),
        pytest.param([(MASKED, 0.9, FACE), (BARE, 0.8, NEAR)], (0.0, 0.0), [0], id="thresholds of nothing"),
    ],
)
def test_each_face_gets_one_label(rows, thresholds, kept) -> None:
    all_found = found(*rows)

    said = answer(all_found, np.array(thresholds, np.float32))

    assert said.scores.tolist() == all_found.scores[kept].tolist()
    assert said.class_ids.tolist() == all_found.class_ids[kept].tolist()


def test_raising_a_threshold_lets_the_other_label_win() -> None:
    both = found((MASKED, 0.9, FACE), (BARE, 0.5, NEAR))

    labels = [
        answer(both, np.array([threshold, 0.3], np.float32)).class_ids.tolist()
        for threshold in (0.1, 0.5, 0.6, 0.95)
    ]

    assert labels == [[MASKED], [MASKED], [BARE], [BARE]]
