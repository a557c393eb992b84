"""Corruptions keep boxes on their objects and are the same each time; a model measured under all of them."""

from __future__ import annotations

import json
import weakref
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from painted import painted
from PIL import Image
from support import LABELS, write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.detector.iou import pairwise_iou
from maskdet.judging.robustness import geometry
from maskdet.judging.robustness import trial as robustness_trial
from maskdet.judging.robustness.corruptions import CONDITIONS, CORRUPTIONS, Condition
from maskdet.judging.robustness.geometry import warped
from maskdet.judging.robustness.sheet import draw_conditions
from maskdet.judging.robustness.trial import Trial
from maskdet.types import GroundTruth, Picture

NAMES = [condition.text for condition in CONDITIONS]
MOVING = ("rotation", "tilt")
MOVED = [condition for condition in CONDITIONS if condition.corruption.name in MOVING]
GROUND, DISC = 90, 235


def scene() -> tuple[Picture, GroundTruth]:
    """Bright discs on rough ground, and the boxes around them."""
    rng = np.random.default_rng(0)
    picture = np.clip(rng.normal(GROUND, 4, (240, 320, 3)), 0, 255).astype(np.uint8)
    picture[..., 2] //= 2
    boxes = []
    for x, y, radius in ((70, 60, 22), (160, 120, 30), (250, 90, 16), (120, 190, 18)):
        cv2.circle(picture, (x, y), radius, (DISC, DISC, DISC // 2), cv2.FILLED)
        boxes.append((x - radius, y - radius, x + radius + 1, y + radius + 1))
    return picture, GroundTruth(np.array(boxes, np.float32), np.arange(4) % 3, np.zeros(4, bool))


@pytest.mark.parametrize("condition", CONDITIONS, ids=NAMES)
def test_pixels_change_the_same_way_each_time_and_the_input_does_not(condition: Condition) -> None:
    picture, truth = scene()
    changed, faces = condition.of(picture, truth, "a.jpg", seed=7)
    again, faces_again = condition.of(picture, truth, "a.jpg", seed=7)
    assert changed.shape == picture.shape
    assert changed.dtype == np.uint8
    assert (changed != picture).mean() > 0.02
    assert np.array_equal(changed, again)
    assert np.array_equal(faces.boxes, faces_again.boxes)
    assert np.array_equal(picture, scene()[0])
    if condition.corruption.name not in MOVING:
        assert faces is truth


@pytest.mark.parametrize("name", ["motion blur", "noise", "fog", "hand"])
def test_pictures_and_seeds_differ(name: str) -> None:
    [condition] = [one for one in CONDITIONS if one.corruption.name == name and one.number % 3 == 1]
    picture, truth = scene()
    first = condition.of(picture, truth, "a.jpg", 7)[0]
    assert not np.array_equal(first, condition.of(picture, truth, "b.jpg", 7)[0])
    assert not np.array_equal(first, condition.of(picture, truth, "a.jpg", 8)[0])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "condition", [one for one in CONDITIONS if one.corruption.name in MOVING], ids=lambda one: one.text
)
def test_boxes_move_with_their_objects(condition: Condition, seed: int) -> None:
    changed, faces = condition.of(*scene(), "a.jpg", seed)
    found = [stats[:4] for stats in cv2.connectedComponentsWithStats(np.uint8(changed[..., 0] > 170))[2][1:]]
    corners = np.array([(x, y, x + wide, y + high) for x, y, wide, high in found], np.float32)
    # A disc that is cut off by the edge has its box cut off there as well.
    overlaps = pairwise_iou(faces.boxes, corners)
    assert len(faces) == len(corners) >= 3
    assert (overlaps.max(axis=1) > 0.85).all()


def test_a_face_that_leaves_the_picture_does_not_count() -> None:
    boxes = np.array([[0, 0, 40, 40], [20, 50, 60, 90], [45, 0, 85, 40], [200, 0, 240, 40]], np.float32)
    truth = GroundTruth(boxes, np.arange(4), np.zeros(4, bool))
    shift = np.array([[1, 0, -50], [0, 1, 0], [0, 0, 1]], np.float64)
    _, faces = warped(np.zeros((100, 300, 3), np.uint8), truth, shift)
    assert faces.class_ids.tolist() == [1, 2, 3]
    assert faces.difficult.tolist() == [True, False, False]
    assert faces.boxes[:, 0].tolist() == pytest.approx([0, 0, 150], abs=0.01)


@pytest.mark.parametrize("share", next(one.strengths for one in CORRUPTIONS if one.name == "hand"))
def test_a_hand_covers_its_share_of_each_face(share: float) -> None:
    [condition] = [one for one in CONDITIONS if (one.corruption.name, one.strength) == ("hand", share)]
    picture, truth = scene()
    changed = condition.of(picture, truth, "a.jpg", 0)[0]
    for x1, y1, x2, y2 in truth.boxes.astype(int):
        inside = (changed != picture).any(axis=2)[y1:y2, x1:x2]
        assert 0.5 * share < inside.mean() < 1.3 * share


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("robust")
    return Trial.of(load_bundle(write_tiny_bundle(folder / "tiny.onnx")), painted(folder, 6))


def test_a_model_is_measured_under_every_condition(trial: Trial, tmp_path: Path) -> None:
    result = trial.run()
    assert (result.pictures, len(result.figures), result.clean.ap50) == (6, 36, 1.0)
    figures = {condition.text: each for condition, each in result.figures}
    # The tiny model knows colours only.
    assert figures["grey 100%"].ap50 == 0
    assert figures["JPEG quality 30"].ap50 == 1
    assert 0 < result.relative < 1
    assert result.relative == pytest.approx(np.mean([each.ap50 for each in figures.values()]))
    assert "grey 100%" in [condition.text for condition in result.worst]
    assert result.clean.bare_passed.of == 2
    told = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert told["corruptions"]["grey"]["1"]["ap50"] == 0
    assert "| grey: 50%, 75%, 100% |" in result.report()
    draw_conditions(trial, result, tmp_path / "worst.png")
    with Image.open(tmp_path / "worst.png") as sheet:
        assert sheet.size[0] > 1000
    assert trial.run().to_json() == told


def test_one_corrupted_picture_is_held_at_a_time(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[Picture]] = []
    held: list[int] = []

    class Copying:
        def of(self, picture: Picture, truth: GroundTruth, name: str, seed: int) -> geometry.Scene:
            held.append(sum(each() is not None for each in made))
            copy = picture.copy()
            made.append(weakref.ref(copy))
            return copy, truth

    monkeypatch.setattr(robustness_trial, "CONDITIONS", [Copying()] * 9)
    assert len(trial._see(trial.pictures[0])) == 10
    assert max(held) <= 1


def test_fewer_pictures_are_always_the_same_ones(trial: Trial) -> None:
    few = Trial.of(_bundle(trial), trial.manifest, 2)
    again = Trial.of(_bundle(trial), trial.manifest, 2)
    assert len(few.pictures) == 2
    assert few.pictures == again.pictures
    assert set(few.pictures) < set(trial.pictures)
    assert trial.match.labels == LABELS


def test_pictures_of_the_same_name_in_several_roots_are_drawn_one_by_one(trial: Trial) -> None:
    names = ("a", "b", "c")
    pictures = tuple(replace(one, root=name) for name in names for one in trial.manifest.pictures)
    roots = tuple(replace(trial.manifest.roots[0], name=name) for name in names)
    manifest = replace(trial.manifest, pictures=pictures, roots=roots)
    assert [len(Trial.of(_bundle(trial), manifest, most).pictures) for most in (1, 5, 20)] == [1, 5, 18]


def _bundle(trial: Trial):
    return load_bundle(trial.manifest.roots[0].path / "tiny.onnx")
