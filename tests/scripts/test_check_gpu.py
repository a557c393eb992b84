"""The check of GPUs: what it plans for how many there are; a fault is in its report and exit code."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from drawn_run import draw_run

from maskdet.errors import TrainingError

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """One of the script's modules by name."""
    monkeypatch.syspath_prepend(SCRIPTS)

    def module(name: str) -> ModuleType:
        return import_module(name)

    return module


def check_of(script: Any, device: str, out: Path = Path("out")) -> Any:
    return script("gpu_steps").Check(device, out, 2, Path(sys.executable), False)


@pytest.mark.parametrize(
    ("gpus", "planned"),
    [
        (1, [("1 GPU", "gpu:0", "false", 8), ("1 GPU, mixed", "gpu:0", "true", 8)]),
        (
            3,
            [
                ("1 GPU", "gpu:0", "false", 8),
                ("1 GPU, mixed", "gpu:0", "true", 8),
                ("3 GPUs", "gpu:all", "false", 9),
                ("3 GPUs, mixed", "gpu:all", "true", 9),
            ],
        ),
    ],
)
def test_one_gpu_and_all_of_them(
    script: Any, monkeypatch: pytest.MonkeyPatch, gpus: int, planned: list[tuple[str, str, str, int]]
) -> None:
    module = script("gpu_training")
    monkeypatch.setattr(module, "probe", lambda python: {"gpus": ["one"] * gpus})
    found = [
        (one.name, *(one.settings[f"train.{key}"] for key in ("device", "amp", "batch_size")))
        for one in module.trainings(check_of(script, "gpu"))
    ]
    assert found == planned


def test_mixed_precision_has_to_be_refused_on_the_cpu(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = script("gpu_training")
    mixed = module.trainings(check_of(script, "cpu"))[-1]
    failing = (sys.executable, "-c", "import sys; sys.exit('error: train.amp: false')")
    monkeypatch.setattr(module, "MASKDET", failing)
    text, _ = module.train(check_of(script, "cpu"), mixed)
    assert text == "refused, as it should be: error: train.amp: false"
    monkeypatch.setattr(module, "MASKDET", (sys.executable, "-c", ""))
    with pytest.raises(script("gpu_steps").CheckError, match="not refused"):
        module.train(check_of(script, "cpu"), mixed)


def test_a_fault_is_reported_and_later_steps_go_on(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = script("check_gpu")

    def fault() -> Any:
        raise TrainingError("out of | memory", "less")

    def missing() -> Any:
        return (tmp_path / "model.onnx").read_bytes()

    steps = [("train", fault), ("export", missing), ("serve", lambda: ("answers", {"p50, ms": 1.25}))]
    monkeypatch.setattr(module, "steps", lambda check: iter(steps))
    monkeypatch.setattr(module, "end_on_sigterm", lambda: None)
    monkeypatch.setattr(sys, "argv", ["check_gpu.py", "--device", "cpu", "--out", str(tmp_path / "out")])
    assert module.main() == 1
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["passed"] is False
    assert [one["state"] for one in report["steps"]] == ["fault", "left out", "ok"]
    page = (tmp_path / "out" / "report.md").read_text()
    assert page.startswith("# GPU check on cpu: failed")
    assert "out of \\| memory<br>" in page
    assert "- p50, ms: 1.25" in page


def test_the_exported_model_is_compared_and_served(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On the CPU with the tiny model: real sessions, a real server and load."""
    module = script("gpu_service")
    training = script("gpu_steps").Training("1 worker", {})
    draw_run(tmp_path, training.run)
    check = check_of(script, "cpu", tmp_path)
    text, figures = module.parity(check, training, tensorrt=False)
    assert text.startswith("4 pictures, scores within")
    assert sorted(figures) == ["batch 1", "batch 8"]
    assert "1 pictures, ms" in module.passes(check, training)[1]
    monkeypatch.setattr(module, "BENCH_SECONDS", 0.2)
    text, figures = module.serve(check, training)
    assert text.startswith("2 pictures answered as on the CPU")
    assert figures["max_batch"] == 1
    assert "requests/s" in figures["16 connections"]
