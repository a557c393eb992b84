from __future__ import annotations

import numpy as np
import pytest

from maskdet.evaluation.appraisal import appraise
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.views import View
from maskdet.types import Detections, GroundTruth

LABELS = ("with_mask", "without_mask")
FACE = (0.0, 0.0, 10.0, 10.0)
HALF_RIGHT = (5.0, 0.0, 15.0, 10.0)
Row = tuple[int, float, tuple[float, float, float, float]]


def judged(*rows: Row, difficult: bool = False) -> float | None:
    """What is found in a picture with one masked face, and beside it one bare face that is found exactly."""
    table = np.array([*rows, (1, 0.9, (50, 50, 70, 70))], dtype=object)
    found = Detections(
        np.array([row[2] for row in table], np.float32),
        np.array([row[1] for row in table], np.float32),
        np.array([row[0] for row in table], np.int64),
    )
    truth = GroundTruth(
        np.array([FACE, (50, 50, 70, 70)], np.float32), np.array([0, 1]), np.array([difficult, False])
    )
    settings = EvalSettings(threshold=0.5)
    return appraise([(truth, found)], [View("a.jpg", (100, 100), 128)], LABELS, settings, (100, 100)).further[
        "localisation"
    ]


def test_it_is_the_mean_over_the_right_answers() -> None:
    # 10 x 8 of 10 x 10 pixels.
    assert judged((0, 0.9, (0, 0, 10, 8))) == pytest.approx((0.8 + 1) / 2)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param((0, 0.4, (0, 0, 10, 8)), id="below its threshold"),
        pytest.param((1, 0.9, (0, 0, 10, 8)), id="of another class"),
        pytest.param((0, 0.9, HALF_RIGHT), id="not on the face"),
    ],
)
def test_what_is_no_right_answer_does_not_count(row: Row) -> None:
    assert judged(row) == 1


def test_a_difficult_face_does_not_count() -> None:
    assert judged((0, 0.9, (0, 0, 10, 8)), difficult=True) == 1
