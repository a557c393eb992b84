"""The server answers with the scores that a calibrated bundle promises, as everything else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
from support import cell_box, paint, write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.detector.calibration import Calibration
from maskdet.detector.detector import Detector
from maskdet.types import Picture

FAINT, CLEAR = 138, 190
"""Red of a cell that the tiny model's network gives 0.45 or more."""


def scene() -> Picture:
    painted = paint({(1, 2): "with_mask"})
    for place, red in (((6, 1), FAINT), ((3, 6), CLEAR)):
        x1, y1, x2, y2 = (round(edge) for edge in cell_box(*place))
        painted[y1:y2, x1:x2] = (red, 0, 0)
    return painted


@pytest.mark.parametrize("threshold", [None, 0.3])
def test_scores_are_those_of_the_detector(
    of_models: Callable[..., Any], tmp_path: Path, threshold: float | None
) -> None:
    model = write_tiny_bundle(tmp_path / "a.onnx", calibration=Calibration(temperature=0.3))
    detector = Detector(load_bundle(model), threads=1)
    least = 0.5 if threshold is None else threshold
    expected = [score for score in detector.detect(scene()).scores.tolist() if score >= least]

    body = bytes(cv2.imencode(".png", scene()[..., ::-1])[1])
    query = {} if threshold is None else {"threshold": threshold}
    headers = {"content-type": "image/png"}
    answer = of_models({"a": model}).post("/v1/detect", params=query, content=body, headers=headers)

    [result] = answer.json()["results"]
    assert [one["score"] for one in result["detections"]] == pytest.approx(expected, abs=1e-4)
    assert len(expected) == (2 if threshold is None else 3)
