"""The confusion matrix of single pictures, by hand. Faces stand 20 px apart, 10 px wide."""

from __future__ import annotations

import numpy as np
import pytest
from slots import scene

from maskdet.detector.answer import answer
from maskdet.evaluation.confusion import confusion_matrix

THRESHOLDS = np.array([0.5, 0.7], np.float32)


@pytest.mark.parametrize(
    ("faces", "found", "counts"),
    [
        pytest.param([], [], [[0, 0, 0], [0, 0, 0], [0, 0, 0]], id="empty picture"),
        pytest.param([(0, 0, 0)], [(0, 0, 0.9)], [[1, 0, 0], [0, 0, 0], [0, 0, 0]], id="right"),
        pytest.param([(0, 1, 0)], [(0, 0, 0.9)], [[0, 0, 0], [1, 0, 0], [0, 0, 0]], id="taken for the other"),
        pytest.param([(0, 1, 0)], [], [[0, 0, 0], [0, 0, 1], [0, 0, 0]], id="missed"),
        pytest.param([], [(3, 1, 0.9)], [[0, 0, 0], [0, 0, 0], [0, 1, 0]], id="false alarm"),
        pytest.param([(0, 1, 0)], [(0, 1, 0.6)], [[0, 0, 0], [0, 0, 1], [0, 0, 0]], id="below its threshold"),
        pytest.param([(0, 0, 0)], [(0, 0, 0.6)], [[1, 0, 0], [0, 0, 0], [0, 0, 0]], id="at its threshold"),
        pytest.param(
            [(0, 1, 0)],
            [(0, 0, 0.9), (0, 1, 0.8)],
            [[0, 0, 0], [1, 0, 0], [0, 0, 0]],
            id="named twice: further over its threshold",
        ),
        pytest.param([(0, 0, 1)], [(0, 1, 0.9)], [[0, 0, 0], [0, 0, 0], [0, 0, 0]], id="difficult, found"),
        pytest.param([(0, 0, 1)], [], [[0, 0, 0], [0, 0, 0], [0, 0, 0]], id="difficult, missed"),
    ],
)
def test_one_picture(faces, found, counts):
    assert confusion_matrix([scene(faces, found)], THRESHOLDS).tolist() == counts


@pytest.mark.parametrize("seed", range(4))
def test_rows_sum_to_the_faces_and_columns_to_the_detections(make_scenes, seed):
    scenes = make_scenes(seed, classes=2)
    counts = confusion_matrix(scenes, THRESHOLDS)
    faces = np.concatenate([truth.class_ids for truth, _ in scenes])
    found = np.concatenate([answer(found, THRESHOLDS).class_ids for _, found in scenes])
    assert counts[:-1].sum(axis=1).tolist() == np.bincount(faces, minlength=2).tolist()
    assert counts[:, :-1].sum(axis=0).tolist() == np.bincount(found, minlength=2).tolist()
