"""A calibrated bundle: probabilities as scores, all else as without it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support import GRID, write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.detector.calibration import COLDEST, HOTTEST, Calibration
from maskdet.detector.detector import Detector
from maskdet.detector.tiling import Look, detect_closely
from maskdet.errors import BundleError
from maskdet.export.metadata import with_meta
from maskdet.types import Picture

SHARP = Calibration(temperature=0.3)


@pytest.fixture(scope="module")
def shades() -> Picture:
    """Every cell of the tiny model's grid in another shade of two classes' colours."""
    picture = np.zeros((GRID * 8, GRID * 8, 3), np.uint8)
    shown = np.linspace(60, 250, GRID * GRID).astype(np.uint8).reshape(GRID, GRID).repeat(8, 0).repeat(8, 1)
    picture[: GRID * 4, :, 1] = shown[: GRID * 4]
    picture[GRID * 4 :, :, 0] = shown[GRID * 4 :]
    return picture


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    return Detector(load_bundle(write_tiny_bundle(tmp_path_factory.mktemp("plain") / "m.onnx")), threads=1)


@pytest.fixture(scope="module")
def sharp(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    path = write_tiny_bundle(tmp_path_factory.mktemp("sharp") / "m.onnx", calibration=SHARP)
    return Detector(load_bundle(path), threads=1)


@pytest.mark.parametrize("temperature", [COLDEST, 0.3, 1.0, 3.0, HOTTEST])
def test_the_map_rises_and_keeps_both_ends_and_the_middle(temperature: float) -> None:
    calibration = Calibration(temperature=temperature)
    scores = np.linspace(0, 1, 201).astype(np.float32)
    known = calibration.probabilities(scores)
    assert (np.diff(known) >= 0).all()
    assert known[[0, 100, 200]] == pytest.approx([0, 0.5, 1], abs=1e-6)
    inner = scores[(known > 1e-3) & (known < 1 - 1e-3)]
    back = [calibration.network_score(float(one)) for one in calibration.probabilities(inner)]
    assert back == pytest.approx(inner.tolist(), abs=1e-4)


def test_the_same_boxes_in_the_same_order_with_other_scores(
    plain: Detector, sharp: Detector, shades: Picture
) -> None:
    before, after = plain.detect(shades), sharp.detect(shades)
    assert len(np.unique(before.scores)) > 20
    assert np.array_equal(before.boxes, after.boxes)
    assert np.array_equal(before.class_ids, after.class_ids)
    assert np.array_equal(SHARP.probabilities(before.scores), after.scores)
    assert (np.diff(after.scores) <= 0).all()


@pytest.mark.parametrize("score", [0.0, 0.02, 0.5, 0.77, 0.98])
def test_no_detection_from_the_score_on_is_left_out(sharp: Detector, shades: Picture, score: float) -> None:
    whole, part = sharp.detect(shades), sharp.detect(shades, from_score=score)
    assert np.array_equal(
        whole.scores[whole.scores >= np.float32(score)], part.scores[part.scores >= np.float32(score)]
    )
    assert len(part) <= len(whole)


def test_tiles_are_merged_as_without_it(plain: Detector, sharp: Detector, shades: Picture) -> None:
    look = Look(tile=True, flip=True)
    before, after = detect_closely(plain, shades, look), detect_closely(sharp, shades, look)
    assert np.array_equal(before.boxes, after.boxes)
    assert np.array_equal(SHARP.probabilities(before.scores), after.scores)


def test_a_bundle_that_was_never_calibrated_answers_as_before(plain: Detector, tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "old.onnx")
    meta = json.loads(load_bundle(path).meta.model_dump_json())
    del meta["calibration"]
    old = load_bundle(path).meta.model_validate(meta)
    assert old.calibration is None
    assert old.network_thresholds == old.thresholds
    picture = np.full((64, 64, 3), (0, 170, 0), np.uint8)
    [score] = set(plain.detect(picture).scores.tolist())
    assert score == pytest.approx(1.2 / 255 * 170 - 0.2, abs=1e-5)


def test_thresholds_for_those_who_run_the_graph_themselves(sharp: Detector) -> None:
    meta = sharp.meta.model_copy(update={"thresholds": {"with_mask": 0.9, "without_mask": 0.2}})
    known = meta.network_thresholds
    again = SHARP.probabilities(np.array(list(known.values()), np.float32))
    assert again == pytest.approx([0.9, 0.2], abs=1e-3)


def test_a_temperature_that_cannot_be_is_refused(tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "m.onnx")
    meta = load_bundle(path).meta
    wrong = meta.model_copy(update={"calibration": SHARP.model_copy(update={"temperature": 0.0})})
    path.write_bytes(with_meta(path.read_bytes(), wrong))
    with pytest.raises(BundleError, match=r"calibration\.temperature"):
        load_bundle(path)
