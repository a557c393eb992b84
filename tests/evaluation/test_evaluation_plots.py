"""The curves are drawn for any evaluation, the same each time, in the colours of the classes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from maskdet.evaluation.evaluator import evaluate
from maskdet.evaluation.plots import draw_curves
from maskdet.types import Detections

BLUE, VERMILION, GREEN = (0, 114, 178), (213, 94, 0), (0, 158, 115)


def _drawn(evaluation, path):
    draw_curves(evaluation, path)
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    return [int((pixels == colour).all(axis=-1).sum()) for colour in (BLUE, VERMILION, GREEN)]


def test_a_curve_for_each_class_that_val_has(make_scenes, tmp_path):
    judged = evaluate(make_scenes(0, classes=2), ("a", "b", "unseen"), thresholds="best-f1")
    blue, vermilion, green = _drawn(judged, tmp_path / "curves.png")
    assert min(blue, vermilion) > 500
    assert green == 0


def test_same_bytes_again(make_scenes, tmp_path):
    for name in ("first.png", "second.png"):
        draw_curves(evaluate(make_scenes(0), ("a", "b", "c"), thresholds="best-f1"), tmp_path / name)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.png", "second.png"]


@pytest.mark.parametrize("labels", [("戴口罩", "未戴"), ("$\\frac", "_hidden"), ("a" * 60, "b")])
def test_any_label_can_be_drawn(make_scenes, tmp_path, labels):
    short = _drawn(
        evaluate(make_scenes(0, classes=2), ("a", "b"), thresholds="best-f1"), tmp_path / "short.png"
    )
    drawn = _drawn(evaluate(make_scenes(0, classes=2), labels, thresholds="best-f1"), tmp_path / "curves.png")
    assert drawn == pytest.approx(short, rel=0.1)


def test_a_model_that_finds_nothing(make_scenes, tmp_path):
    scenes = [(truth, Detections.empty()) for truth, _ in make_scenes(0, classes=2)]
    assert min(_drawn(evaluate(scenes, ("a", "b"), thresholds=0.5), tmp_path / "curves.png")[:2]) > 100
