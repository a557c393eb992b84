from __future__ import annotations

import time
from pathlib import Path

import pytest
from painted import painted
from support import write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.detector.tiling import Look
from maskdet.evaluation.settings import EvalSettings
from maskdet.judging import bundles, views
from maskdet.judging.bundles import judge_bundle

BURNT_SECONDS = 0.5


def test_pictures_looked_at_side_by_side_keep_their_faces(tmp_path: Path) -> None:
    bundle = load_bundle(write_tiny_bundle(tmp_path / "tiny.onnx"))
    judged, _ = judge_bundle(bundle, painted(tmp_path, 40), EvalSettings())
    assert judged.ap50 == 1
    assert judged.confusion.diagonal().sum() == judged.confusion.sum() == 40


@pytest.mark.parametrize("look", [Look(), Look(tile=True, flip=True)])
def test_the_time_of_a_picture_is_that_of_detection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: Look
) -> None:
    def slow_luma(picture: object) -> float:
        started = time.thread_time()
        while time.thread_time() < started + BURNT_SECONDS:
            pass
        return 100.0

    for module in (bundles, views):
        monkeypatch.setattr(module, "mean_luma", slow_luma, raising=False)
    bundle = load_bundle(write_tiny_bundle(tmp_path / "tiny.onnx"))
    _, milliseconds = judge_bundle(bundle, painted(tmp_path, 2), EvalSettings(), look=look)
    assert 0 < milliseconds < 1000 * BURNT_SECONDS
