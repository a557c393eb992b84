"""The check of GPUs: what it plans for how many there are; a fault is in its report and exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from drawn_run import draw_run
from PIL import Image
from support import paint, write_tiny_bundle

from check_gpu import __main__ as started
from check_gpu import service, training
from check_gpu.steps import Check, CheckError, Training
from maskdet.errors import TrainingError


def check_of(device: str, out: Path = Path("out")) -> Check:
    return Check(device, out, 2, Path(sys.executable), False)


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
    monkeypatch: pytest.MonkeyPatch, gpus: int, planned: list[tuple[str, str, str, int]]
) -> None:
    monkeypatch.setattr(training, "probe", lambda python: {"gpus": ["one"] * gpus})
    found = [
        (one.name, *(one.settings[f"train.{key}"] for key in ("device", "amp", "batch_size")))
        for one in training.trainings(check_of("gpu"))
    ]
    assert found == planned


def test_mixed_precision_has_to_be_refused_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = training.trainings(check_of("cpu"))[-1]
    failing = (sys.executable, "-c", "import sys; sys.exit('error: train.amp: false')")
    monkeypatch.setattr(training, "MASKDET", failing)
    text, _ = training.train(check_of("cpu"), mixed)
    assert text == "refused, as it should be: error: train.amp: false"
    monkeypatch.setattr(training, "MASKDET", (sys.executable, "-c", ""))
    with pytest.raises(CheckError, match="not refused"):
        training.train(check_of("cpu"), mixed)


def test_a_fault_is_reported_and_later_steps_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:

    def fault() -> Any:
        raise TrainingError("out of | memory", "less")

    def missing() -> Any:
        return (tmp_path / "model.onnx").read_bytes()

    steps = [("train", fault), ("export", missing), ("serve", lambda: ("answers", {"p50, ms": 1.25}))]
    monkeypatch.setattr(started, "steps", lambda check: iter(steps))
    monkeypatch.setattr(started, "end_on_sigterm", lambda: None)
    monkeypatch.setattr(sys, "argv", ["check_gpu", "--device", "cpu", "--out", str(tmp_path / "out")])
    assert started.main() == 1
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["passed"] is False
    assert [one["state"] for one in report["steps"]] == ["fault", "left out", "ok"]
    page = (tmp_path / "out" / "report.md").read_text()
    assert page.startswith("# GPU check on cpu: failed")
    assert "out of \\| memory<br>" in page
    assert "- p50, ms: 1.25" in page


def test_the_exported_model_is_compared_and_served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On the CPU with the tiny model: real sessions, a real server and load."""
    one_worker = Training("1 worker", {})
    draw_run(tmp_path, one_worker.run)
    check = check_of("cpu", tmp_path)
    text, figures = service.parity(check, one_worker, tensorrt=False)
    assert text.startswith("4 pictures, scores within")
    assert sorted(figures) == ["batch 1", "batch 8"]
    assert "1 pictures, ms" in service.passes(check, one_worker)[1]
    monkeypatch.setattr(service, "BENCH_SECONDS", 0.2)
    text, figures = service.serve(check, one_worker, device="cpu")
    assert text.startswith("2 pictures answered as on the CPU")
    assert figures["max_batch"] == 1
    assert "requests/s" in figures["16 connections"]


def test_a_machine_that_only_serves_is_checked_with_a_given_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The whole command on the CPU: nothing is trained, and the pictures are those of a folder."""
    model = write_tiny_bundle(tmp_path / "tiny.onnx")
    (tmp_path / "pictures").mkdir()
    for place in range(2):
        Image.fromarray(paint({(1 + place, 1): "with_mask"})).save(tmp_path / "pictures" / f"{place}.png")
    monkeypatch.setattr(started, "end_on_sigterm", lambda: None)
    monkeypatch.setattr(service, "BENCH_SECONDS", 0.2)
    monkeypatch.setattr(training, "probe", lambda python: pytest.fail("Paddle was asked for"))
    words = ["--model", model, "--pictures", tmp_path / "pictures", "--out", tmp_path / "out"]
    monkeypatch.setattr(sys, "argv", ["check_gpu", "--device", "cpu", *map(str, words)])
    assert started.main() == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [one["name"] for one in report["steps"]] == [
        "doctor",
        "parity: cpu and cpu",
        "passes by batch",
        "serve: cpu",
    ]
    assert report["steps"][-1]["text"].startswith("2 pictures answered as on the CPU")
