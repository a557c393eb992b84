"""The config stage: what of the start the configuration depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.detector.shipped import ships_model
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.running.outcome import RunOptions, StageOutcome, State
from maskdet.pipeline.running.run import run_stages
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages.config import STAGE as CONFIG
from maskdet.pipeline.stages.prepare import STAGE as PREPARE


def configured(root: Path, pretrained: str) -> StageOutcome:
    pipeline = PipelineFile(
        name="tiny",
        data={"root": root / "data"},
        model={"variant": "picodet_s_320_esnet", "pretrained": pretrained},
        train={"batch_size": 4, "optimizer": "adamw"},
    )
    result = run_stages((PREPARE, CONFIG), Context(pipeline, root / "runs" / "tiny"), RunOptions())
    assert result.error is None
    return result.outcomes[-1]


@pytest.mark.skipif(not ships_model(), reason="this build ships no model")
def test_the_rate_follows_whether_the_start_knows_the_classes(tmp_path: Path) -> None:
    draw_data_set(tmp_path / "data", 12)
    assert "learning rate 0.002," in configured(tmp_path, "none").figure
    assert configured(tmp_path, "coco").state is State.UP_TO_DATE
    known = configured(tmp_path, "default")
    assert known.state is State.RAN
    assert known.reason == "the start knows all classes false → true"
    assert "learning rate 0.0002," in known.figure
