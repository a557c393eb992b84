"""Scenes for the evaluation tests: drawn at random from a seed, like what a half-good model finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from maskdet.types import Detections, GroundTruth

Scene = tuple[GroundTruth, Detections]
SceneMaker = Callable[..., list[Scene]]


def _boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corner = rng.uniform(0, 300, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(4, 120, (count, 2))], axis=1).astype(np.float32)


def _scene(rng: np.random.Generator, classes: int, difficult: float, tied: bool) -> Scene:
    faces, noise = int(rng.integers(0, 8)), int(rng.integers(0, 6))
    boxes = _boxes(rng, faces)
    class_ids = rng.integers(0, classes, faces)
    copies = rng.integers(0, max(faces, 1), 2 * faces)  # some faces found twice, some not at all
    near = boxes[copies] + rng.normal(0, 4, (2 * faces, 4)).astype(np.float32)
    near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
    named = np.where(rng.random(2 * faces) < 0.8, class_ids[copies], rng.integers(0, classes, 2 * faces))
    scores = rng.random(2 * faces + noise).astype(np.float32)
    found = Detections(
        np.concatenate([near, _boxes(rng, noise)]),
        np.round(scores, 1) if tied else scores,
        np.concatenate([named, rng.integers(0, classes, noise)]).astype(np.int64),
    )
    best_first = np.argsort(-found.scores, kind="stable")
    return GroundTruth(boxes, class_ids, rng.random(faces) < difficult), found.select(best_first)


@pytest.fixture
def make_scenes() -> SceneMaker:
    """`make_scenes(seed, pictures=40, classes=3, difficult=0.0, tied=False)`: random scenes."""

    def make(
        seed: int, pictures: int = 40, classes: int = 3, difficult: float = 0.0, tied: bool = False
    ) -> list[Scene]:
        rng = np.random.default_rng(seed)
        return [_scene(rng, classes, difficult, tied) for _ in range(pictures)]

    return make
