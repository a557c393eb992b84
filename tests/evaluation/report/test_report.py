"""The Markdown of a small evaluation, whole."""

from __future__ import annotations

import numpy as np

from maskdet.evaluation.evaluator import evaluate
from maskdet.evaluation.report.report import markdown_report
from maskdet.types import Detections, GroundTruth

REPORT = """\
AP50 **50.0%**, AP50:95 **50.5%**, AP50 regardless of class **50.0%** (pictures: 1, faces: 2). \
Recall at the thresholds: all faces **50.0%**.

| class | faces | AP50 | AP50:95 | threshold | precision | recall | F1 | found | false | missed |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| a\\|b | 2 | 50.0% | 50.5% | 0.450 | 100.0% | 50.0% | 66.7% | 1 | 0 | 1 |
| c | 0 | – | – | 0.500 | – | – | – | 0 | 0 | 0 |

- val has no c: it has no AP and is left out of the mean

At the thresholds: labelled faces by row, what the model says by column. The last row counts false alarms, \
the last column missed faces.

| labelled | a\\|b | c | background |
| --- | ---: | ---: | ---: |
| a\\|b | 1 | 0 | 1 |
| c | 0 | 0 | 0 |
| background | 0 | 0 | 0 |
"""


def test_report_of_two_faces_one_found():
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], np.float32)
    truth = GroundTruth(boxes, np.zeros(2, np.int64), np.zeros(2, bool))
    found = Detections(boxes[:1], np.array([0.9], np.float32), np.zeros(1, np.int64))
    assert markdown_report(evaluate([(truth, found)], ("a|b", "c"), thresholds="best-f1")) == REPORT
