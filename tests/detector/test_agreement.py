"""Preprocess and postprocess against PaddleDetection's own, on the same arrays."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from maskdet.detector.postprocess import to_detections
from maskdet.detector.preprocess import normalise, resize
from maskdet.detector.settings import NmsSettings

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("paddle", "ppdet")),
    reason="needs the training packages (maskdet doctor prints the line that installs them)",
)

INPUT = (320, 416)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZES = [(1, 1), (2, 3), (320, 416), (333, 517), (97, 1201), (1080, 1920), (640, 832)]
SCENES = [
    NmsSettings(),
    NmsSettings(iou_threshold=0.3),
    NmsSettings(score_threshold=0.4, keep=7),
    NmsSettings(top_k=20),
    NmsSettings(iou_threshold=0.0),
    NmsSettings(score_threshold=0.99),
]


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in SIZES]


def scene(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Clusters of overlapping boxes, some beyond the edges, with scores that leave few ties."""
    rng = np.random.default_rng(number)
    centres = rng.uniform(0, 400, (12, 2)).repeat(40, axis=0) + rng.normal(0, 9, (480, 2))
    halves = rng.uniform(20, 60, (480, 2))
    boxes = np.concatenate([centres - halves, centres + halves], axis=1).astype(np.float32)
    scores = (rng.random((480, 3)) ** 3).astype(np.float32)
    return boxes, scores


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("upstream")
    given: dict[str, object] = {"input_size": INPUT, "mean": MEAN, "std": STD}
    given |= {"pictures": len(SIZES), "scenes": len(SCENES)}
    given |= {f"picture{number}": picture for number, picture in enumerate(pictures())}
    for number, nms in enumerate(SCENES):
        given[f"boxes{number}"], given[f"scores{number}"] = scene(number)
        given[f"nms{number}"] = [nms.score_threshold, nms.iou_threshold, nms.top_k, nms.keep]
    np.savez(folder / "given.npz", **given)
    script = Path(__file__).with_name("upstream.py")
    command = [sys.executable, "-W", "ignore", script, folder / "given.npz", folder / "results.npz"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return np.load(folder / "results.npz")


@pytest.mark.parametrize("number", range(len(SIZES)), ids=[f"{w}x{h}" for h, w in SIZES])
def test_resize_agrees_to_the_pixel(upstream: Mapping[str, np.ndarray], number: int) -> None:
    assert np.array_equal(resize(pictures()[number], INPUT), upstream[f"resized{number}"])


@pytest.mark.parametrize("number", range(len(SIZES)), ids=[f"{w}x{h}" for h, w in SIZES])
def test_normalise_agrees_to_the_bit(upstream: Mapping[str, np.ndarray], number: int) -> None:
    batch = resize(pictures()[number], INPUT)[None]
    values = normalise(batch, MEAN, STD)
    assert values.dtype == np.float32
    assert np.array_equal(values[0], upstream[f"normalised{number}"])


@pytest.mark.parametrize("number", range(len(SCENES)))
def test_suppression_agrees_with_paddle(upstream: Mapping[str, np.ndarray], number: int) -> None:
    boxes, scores = scene(number)
    # A picture as large as the coordinates keeps clipping out of the comparison.
    shift = np.float32(100)
    found = to_detections(
        boxes + shift, scores, picture_size=(700, 700), input_size=(700, 700), nms=SCENES[number]
    )
    rows = upstream[f"rows{number}"]
    rows = rows[np.argsort(-rows[:, 1], kind="stable")]
    assert len(rows) > 0
    assert np.array_equal(found.class_ids, rows[:, 0])
    assert np.array_equal(found.scores, rows[:, 1])
    assert np.allclose(found.boxes, rows[:, 2:] + shift, atol=1e-3)
