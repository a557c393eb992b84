"""Who gets which face, where VOC and COCO agree and where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from maskdet.evaluation.matching import match_coco, match_voc

PLAIN, HARD = False, True


@pytest.mark.parametrize(
    ("overlaps", "difficult", "voc", "coco"),
    [
        pytest.param([[0.9, 0.0], [0.0, 0.8]], [PLAIN, PLAIN], [0, 1], [0, 1], id="one each"),
        pytest.param([[0.9], [0.8]], [PLAIN], [0, -1], [0, -1], id="duplicate"),
        pytest.param([[0.6], [0.9]], [PLAIN], [0, -1], [0, -1], id="score goes before overlap"),
        pytest.param(
            [[0.9, 0.6], [0.8, 0.7]], [PLAIN, PLAIN], [0, -1], [0, 1], id="second best is COCO's only"
        ),
        pytest.param([[0.4], [0.49]], [PLAIN], [-1, -1], [-1, -1], id="too far"),
        pytest.param([[0.5]], [PLAIN], [-1], [0], id="just at the threshold"),
        pytest.param([[0.9], [0.8]], [HARD], [0, 0], [0, -1], id="difficult absorbs many in VOC"),
        pytest.param([[0.9, 0.6]], [HARD, PLAIN], [0], [1], id="COCO prefers what counts"),
        pytest.param([[0.7, 0.7]], [PLAIN, PLAIN], [0], [1], id="equal overlaps"),
        pytest.param(
            [[0.1, 0.2], [0.9, 0.0]], [PLAIN, PLAIN], [-1, 0], [-1, 0], id="far ones leave faces free"
        ),
    ],
)
def test_claims(overlaps, difficult, voc, coco):
    overlaps, difficult = np.array(overlaps), np.array(difficult)
    assert match_voc(overlaps, difficult).tolist() == voc
    assert match_coco(overlaps, difficult, np.array([0.5])).tolist() == [coco]


def test_coco_thresholds_are_independent():
    overlaps = np.array([[0.6, 0.55], [0.8, 0.0]])
    claims = match_coco(overlaps, np.zeros(2, bool), np.array([0.5, 0.58, 0.75]))
    assert claims.tolist() == [[0, -1], [0, -1], [-1, 0]]


@pytest.mark.parametrize(("detections", "truths"), [(0, 0), (0, 2), (3, 0)])
def test_nothing_to_match(detections, truths):
    overlaps, difficult = np.zeros((detections, truths)), np.zeros(truths, bool)
    assert match_voc(overlaps, difficult).tolist() == [-1] * detections
    assert match_coco(overlaps, difficult, np.array([0.5, 0.6])).tolist() == [[-1] * detections] * 2
