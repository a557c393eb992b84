"""What a CPU worker is told of its processor."""

from __future__ import annotations

from pathlib import Path

import pytest
from trained import DrawnSet

from maskdet.errors import TrainingError
from maskdet.evaluation.settings import EvalSettings
from maskdet.training.evaluate import EvalJob, evaluate_checkpoint
from maskdet.training.launch.cpu_environment import cpu_environment
from maskdet.training.launch.placement import worker_command
from maskdet.training.settings import TrainSettings

FAST = "MKL_DEBUG_CPU_TYPE"


@pytest.mark.parametrize(
    ("vendor", "flags", "fast"),
    [
        ("AuthenticAMD", "fpu sse4_2 avx avx2 fma", True),
        ("AuthenticAMD", "fpu sse4_2 avx", False),
        ("GenuineIntel", "fpu sse4_2 avx avx2 avx512f", False),
    ],
)
def test_only_an_amd_processor_with_avx2_is_named(
    tmp_path: Path, vendor: str, flags: str, fast: bool
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: {flags}\n\nprocessor\t: 1\n")
    assert (FAST in cpu_environment(info)) == fast


def test_a_system_without_that_file_gets_none(tmp_path: Path) -> None:
    assert FAST not in cpu_environment(tmp_path / "cpuinfo")


def test_a_worker_gets_it_unless_the_user_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    command = worker_command(TrainSettings(device="cpu"))
    monkeypatch.delenv("FLAGS_use_stride_kernel", raising=False)
    assert command.environment()["FLAGS_use_stride_kernel"] == "0"
    monkeypatch.setenv("FLAGS_use_stride_kernel", "1")
    assert command.environment()["FLAGS_use_stride_kernel"] == "1"


def test_the_worker_that_judges_gets_it_too(tmp_path: Path, drawn: DrawnSet) -> None:
    """The interpreter is a program that writes down its environment, and then fails as a worker."""
    written, python = tmp_path / "environment", tmp_path / "python"
    python.write_text(f'#!/bin/sh\nenv > "{written}"\nexit 3\n')
    python.chmod(0o755)
    drawn.manifest.write(tmp_path / "manifest.json")
    job = EvalJob(
        config=tmp_path / "picodet.yml",
        manifest=tmp_path / "manifest.json",
        weights=tmp_path / "best.pdparams",
        input_size=(320, 320),
        settings=EvalSettings(),
        python=python,
    )
    with pytest.raises(TrainingError):
        evaluate_checkpoint(job)
    assert {"FLAGS_use_stride_kernel=0", "OMP_NUM_THREADS=1"} <= set(written.read_text().splitlines())
