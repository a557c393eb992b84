"""The curves are drawn for any evaluation, the same each time, in the colours of the classes."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from maskdet.evaluation.appraisal import appraise
from maskdet.evaluation.evaluator import evaluate
from maskdet.evaluation.mistakes import Mistake
from maskdet.evaluation.plots.reliability import draw_reliability
from maskdet.evaluation.plots.slices import draw_slices
from maskdet.evaluation.plots.thresholds import draw_curves, draw_thresholds
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.sheet.worst import draw_mistake, draw_worst
from maskdet.evaluation.views import View
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


def _appraised(scenes, labels):
    views = [View("a.png", (100, 100), 90.0)] * len(scenes)
    return appraise(scenes, views, labels, EvalSettings(), (100, 100))


def _pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize("plot", [draw_thresholds, draw_slices, draw_reliability])
@pytest.mark.parametrize("labels", [("a", "b", "unseen"), ("戴口罩", "$\\frac", "_c")])
def test_other_plots_are_drawn_the_same_each_time(make_scenes, tmp_path, plot, labels):
    judged = _appraised(make_scenes(0, classes=2), labels)
    for name in ("first.png", "second.png"):
        plot(judged, tmp_path / name)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    pixels = _pixels(tmp_path / "first.png")
    assert min(int((pixels == colour).all(axis=-1).sum()) for colour in (BLUE, VERMILION)) > 300


def test_thresholds_of_many_classes_and_of_a_model_that_finds_nothing(make_scenes, tmp_path):
    scenes = [(truth, Detections.empty()) for truth, _ in make_scenes(0, classes=4)]
    draw_thresholds(_appraised(scenes, ("a", "b", "c", "d")), tmp_path / "thresholds.png")
    assert _pixels(tmp_path / "thresholds.png").shape[0] > 900


def test_the_worst_mistakes_are_drawn_around_their_faces(tmp_path):
    Image.new("RGB", (100, 80), (90, 90, 90)).save(tmp_path / "a.png")
    face, edge = (40.0, 30.0, 60.0, 50.0), (90.0, 0.0, 100.0, 10.0)
    mistakes = [
        Mistake("bare passed", "a.png", "without_mask", face, "with_mask", face, 0.9),
        Mistake("false alarm", "a.png", None, None, "未戴" * 40, edge, 0.8),
        Mistake("missed", "a.png", "with_mask", edge, None, None, None),
    ]
    draw_worst(mistakes, {"a.png": tmp_path / "a.png"}, tmp_path / "worst.png")
    pixels = _pixels(tmp_path / "worst.png")
    blue, orange = ((pixels == colour).all(axis=-1) for colour in ((0, 125, 200), (215, 75, 0)))
    thirds = np.array_split(np.arange(pixels.shape[1]), 3)
    crops = [(blue[:240, third].sum() > 100, orange[:240, third].sum() > 100) for third in thirds]
    assert crops == [(True, True), (False, True), (True, False)]


def test_around_a_large_face_only_the_picture_is_resized(tmp_path, monkeypatch):
    Image.new("RGB", (400, 400), (90, 90, 90)).save(tmp_path / "a.png")
    new = Mock(side_effect=Image.new)
    monkeypatch.setattr(Image, "new", new)
    face = (10.0, 30.0, 390.0, 400.0)
    crop = draw_mistake(Mistake("missed", "a.png", "with_mask", face, None, None, None), tmp_path / "a.png")
    assert max(max(call.args[1]) for call in new.call_args_list) <= 400
    pixels = np.array(crop)
    assert pixels.shape == (230, 230, 3)
    assert (pixels == 90).all(axis=-1).sum() == pytest.approx((400 * 230 / 988) ** 2, rel=0.2)
    assert (pixels == 225).all(axis=-1).sum() == pytest.approx(230**2 - (400 * 230 / 988) ** 2, rel=0.05)


def test_no_mistakes_give_an_empty_sheet(tmp_path):
    draw_worst([], {}, tmp_path / "worst.png")
    assert (_pixels(tmp_path / "worst.png") == 255).all()
