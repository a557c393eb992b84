"""How the worker that converts is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from trained import LABELS, SMALLEST, draw_crowds

from maskdet.detector.threshold_policy import BEST_F1
from maskdet.errors import TrainingError
from maskdet.evaluation.settings import EvalSettings
from maskdet.export.export import ExportJob, export
from maskdet.export.settings import ExportSettings


def test_it_gets_the_variables_of_the_cpu(tmp_path: Path) -> None:
    """The interpreter is a program that writes down its environment, and then fails as a worker."""
    written, python = tmp_path / "environment", tmp_path / "python"
    python.write_text(f'#!/bin/sh\nenv > "{written}"\nexit 3\n')
    python.chmod(0o755)
    data = draw_crowds(tmp_path / "voc", 2)
    data.manifest.write(tmp_path / "manifest.json")
    job = ExportJob(
        name="drawn",
        variant=SMALLEST,
        config=tmp_path / "picodet.yml",
        weights=tmp_path / "best.pdparams",
        manifest=tmp_path / "manifest.json",
        out=tmp_path,
        settings=ExportSettings(),
        eval_settings=EvalSettings(),
        thresholds=dict.fromkeys(LABELS, 0.5),
        threshold_policy=BEST_F1,
        metrics={"ap50": 0.5},
        python=python,
    )
    with pytest.raises(TrainingError):
        export(job)
    assert {"FLAGS_use_stride_kernel=0", "OMP_NUM_THREADS=1"} <= set(written.read_text().splitlines())
