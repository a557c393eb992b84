"""predict, eval --model, serve and stop with a tiny real bundle."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from PIL import Image
from reported_cuda import report_cuda
from support import paint, write_tiny_bundle

from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.errors import (
    EnvironmentProblem,
    PictureError,
    PipelineFileError,
    ServingError,
    StageError,
    UsageError,
)
from maskdet.pipeline.running.lock import run_lock
from maskdet.pipeline.stages.eval import write_evaluation
from maskdet.registry.registry import Registry


@pytest.fixture
def model(tmp_path, monkeypatch):
    """model.onnx and photo.png in the current directory, without any pipeline file."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(paint({(1, 1): "with_mask", (5, 5): "without_mask"})).save("photo.png")
    return write_tiny_bundle(tmp_path / "model.onnx")


def test_predict_needs_no_pipeline_file_when_it_has_a_model(model, invoke):
    result = invoke(
        "predict",
        "photo.png",
        "--model",
        "model.onnx",
        "--format",
        "json",
        "--format",
        "csv",
        "--out",
        "found",
    )
    assert "with_mask 1, without_mask 1, mask_weared_incorrect 0" in result.output
    assert "wrote found/predictions.json" in result.output
    pictures = json.loads((model.parent / "found" / "predictions.json").read_text())["pictures"]
    assert [found["label"] for found in pictures[0]["detections"]] == ["with_mask", "without_mask"]
    assert not (model.parent / "found" / "drawn").exists()


def test_predict_says_that_results_of_an_earlier_run_are_kept(model, invoke):
    command = ("predict", "photo.png", "--model", "model.onnx", "--out", "found")
    assert "earlier run" not in invoke(*command).stderr
    assert "earlier run were there and are kept: found/predictions.json, found/drawn" in (
        invoke(*command, "--format", "csv").stderr
    )


def test_predict_says_which_policy_is_in_force_and_what_it_costs(model, invoke):
    command = ("predict", "photo.png", "--model", "model.onnx", "--format", "json")
    assert "thresholds: without a stated policy; what they cost in recall is not stated" in (
        invoke(*command).output
    )
    policy = ThresholdPolicy(name="recall", parameter=0.9)
    write_tiny_bundle(model, threshold_policy=policy, metrics={"recall.with_mask": 0.9})
    said = invoke(*command).output
    assert "thresholds: recall, the best mean F1 with at least 90% of each class's faces answered; " in said
    assert "on val they answer 90% of with_mask" in said
    said = invoke(*command, "--threshold", "0.4").output
    assert "thresholds: override, given in place of the model's own (recall, the best mean F1" in said


def test_a_results_folder_stands_for_the_model_that_it_holds(model, invoke):
    export = model.parent / "runs" / "demo" / "export"
    export.mkdir(parents=True)
    model.rename(export / "model.onnx")
    assert "with_mask 1" in invoke("predict", "photo.png", "--model", "runs/demo").output
    (export / "model.onnx").unlink()
    with pytest.raises(StageError, match="runs/demo holds no exported model") as caught:
        invoke("predict", "photo.png", "--model", "runs/demo")
    assert "maskdet run" in caught.value.hint


def test_predict_writes_json_and_drawings_by_default(model, invoke):
    invoke("predict", "photo.png", "--model", "model.onnx")
    written = {path.name for path in (model.parent / "predictions").rglob("*") if path.is_file()}
    assert written == {"predictions.json", "photo.png"}


def test_predict_looks_at_tiles_and_the_mirrored_picture(model, invoke):
    invoke("predict", "photo.png", "--model", "model.onnx", "--format", "json", "--tile", "--flip")
    [picture] = json.loads((model.parent / "predictions" / "predictions.json").read_text())["pictures"]
    assert {"with_mask", "without_mask"} <= {found["label"] for found in picture["detections"]}


def test_predict_runs_on_a_gpu(model, invoke, monkeypatch):
    """One that is only reported; without it, the command says what is missing."""
    command = ("predict", "photo.png", "--model", "model.onnx", "--format", "json", "--device")
    with pytest.raises(EnvironmentProblem, match="this ONNX Runtime has no CUDA"):
        invoke(*command, "gpu")
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        invoke(*command, "tpu")
    cuda = report_cuda(monkeypatch)
    assert "with_mask 1" in invoke(*command, "gpu:0").output
    name, options = cuda.opened[-1][0]
    assert (name, options["device_id"]) == ("CUDAExecutionProvider", "0")


def test_predict_takes_the_exported_model_of_the_pipeline(model, invoke):
    (model.parent / "pipeline.yml").write_text("name: demo\ndata: {root: .}\n")
    export = model.parent / "runs" / "demo" / "export"
    export.mkdir(parents=True)
    model.rename(export / "model.onnx")
    assert "with_mask 1" in invoke("predict", "photo.png").output


def test_predict_lists_what_it_could_not_read_and_goes_on(model, invoke):
    (model.parent / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(
        PictureError, match=re.compile(r"files that could not be read or drawn: 1\n  broken.jpg: ", re.DOTALL)
    ):
        invoke("predict", "photo.png", "broken.jpg", "--model", "model.onnx")
    assert (model.parent / "predictions" / "predictions.json").is_file()


def test_predict_prints_a_line_for_each_picture_and_nothing_else(model, maskdet):
    folder = model.parent
    broken = [f"broken{number:02}.jpg" for number in range(25)]
    for name in broken:
        (folder / name).write_bytes(b"no picture")
    odd = os.fsdecode(b"caf\xe9 \xe5\x8f\xa3.png")
    (folder / odd).write_bytes((folder / "photo.png").read_bytes())
    command = ("predict", "photo.png", *broken, odd, "--model", "model.onnx")
    done = maskdet(*command, "--json", env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == PictureError.exit_code
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["file"] for line in lines] == ["photo.png", odd]
    assert not (folder / "predictions").exists()
    assert "2 pictures in " in done.stderr
    assert all(f"  {name}: " in done.stderr for name in broken)
    maskdet(*command, "--format", "json")
    assert json.loads((folder / "predictions" / "predictions.json").read_text())["pictures"] == lines


def test_lines_go_along_with_the_files_that_are_asked_for(model, invoke):
    result = invoke("predict", "photo.png", "--model", "model.onnx", "--json", "--format", "csv")
    assert [json.loads(line)["file"] for line in result.stdout.splitlines()] == ["photo.png"]
    assert "wrote predictions/predictions.csv" in result.stderr
    assert [path.name for path in (model.parent / "predictions").iterdir()] == ["predictions.csv"]
    assert "earlier run" not in invoke("predict", "photo.png", "--model", "model.onnx", "--json").stderr


def test_a_reader_of_lines_that_has_gone_ends_predict_quietly(model):
    for number in range(200):
        shutil.copy("photo.png", f"photo{number:03}.png")
    command = [sys.executable, "-m", "maskdet", "predict", ".", "--model", "model.onnx", "--json"]
    command += ["--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["file"] == "photo.png"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) in (1, 141)
    assert not (model.parent / "predictions" / "predictions.csv").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_standard_output_is_said(model):
    command = [sys.executable, "-m", "maskdet", "predict", "photo.png", "--model", "model.onnx", "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: standard output: No space left on device\n")
    assert "Exception ignored" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
def test_the_bar_is_on_the_terminal_and_the_lines_are_in_the_pipe(model):
    command = [sys.executable, "-m", "maskdet", "predict", "photo.png", "--model", "model.onnx", "--json"]
    ours, theirs = os.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, check=False)
    shown = os.read(ours, 65_536).decode()
    os.close(theirs)
    os.close(ours)
    assert "\x1b[" in shown
    assert [json.loads(line)["file"] for line in done.stdout.splitlines()] == ["photo.png"]


def test_set_works_without_a_pipeline_file_too(model, invoke):
    with pytest.raises(PipelineFileError, match=r"did you mean serve\.port"):
        invoke("serve", "--model", "model.onnx", "--set", "serve.prt=1")


def test_versions_of_a_model_have_results_of_their_own(project, invoke):
    for number in (1, 2):
        labels = ("with_mask", "without_mask")
        file = write_tiny_bundle(project / "other.onnx", labels=labels, metrics={"ap50": number / 10})
        Registry(project / "models").register("demo", file)
        invoke("eval", "--model", f"models:demo@{number}")
        invoke("data", "audit", "--model", f"models:demo@{number}")
    written = {path.name for path in (project / "runs" / "demo").iterdir()}
    assert written >= {f"{verb}-demo@{number}" for verb in ("eval", "audit") for number in (1, 2)}


def test_eval_judges_any_bundle_on_val(project, invoke):
    write_tiny_bundle(project / "other.onnx", labels=("with_mask", "without_mask"))
    result = invoke("eval", "--model", "other.onnx")
    assert "AP50" in result.output
    assert "| without_mask |" in result.output
    metrics = json.loads((project / "runs" / "demo" / "eval-other" / "metrics.json").read_text())
    assert metrics["pictures"] == 2
    assert metrics["threshold_policy"] == {"name": "unknown", "parameter": None}
    assert metrics["threshold_source"] == "model file"
    assert "In force: without a stated policy (those inside the model file)" in result.output
    assert "| recall 90% |" in result.output
    written = {path.name for path in (project / "runs" / "demo" / "eval-other").iterdir()}
    plots = {"pr.png", "thresholds.png", "slices.png", "worst.png", "reliability.png"}
    assert written == {"metrics.json", "curves.json", "report.md", *plots}


def test_eval_of_a_bundle_asks_nothing_of_the_training(project, invoke):
    write_tiny_bundle(project / "other.onnx", labels=("with_mask", "without_mask"))
    assert "AP50" in invoke("eval", "--model", "other.onnx", "--set", "train.batch_size=999").output


def test_eval_of_any_bundle_holds_the_results_folder(project, invoke, monkeypatch):
    tried = []

    def written(evaluation, root, out, robustness):
        with pytest.raises(StageError, match="in use by process"), run_lock(project / "runs" / "demo"):
            pass
        tried.append(out)
        write_evaluation(evaluation, root, out, robustness)

    monkeypatch.setattr("maskdet.pipeline.stages.eval.write_evaluation", written)
    write_tiny_bundle(project / "other.onnx", labels=("with_mask", "without_mask"))
    assert invoke("eval", "--model", "other.onnx").exit_code == 0
    assert len(tried) == 1


def test_eval_tells_what_a_closer_look_gains_and_costs(project, invoke):
    write_tiny_bundle(project / "other.onnx", labels=("with_mask", "without_mask"))
    result = invoke("eval", "--model", "other.onnx", "--tile", "--flip")
    assert "| tile-flip |" in result.output
    looks = json.loads((project / "runs" / "demo" / "eval-other-tile-flip" / "looks.json").read_text())
    assert list(looks) == ["plain", "tile-flip"]
    assert all(look["milliseconds"] > 0 for look in looks.values())


def test_a_closer_look_needs_an_exported_model(project, invoke):
    with pytest.raises(StageError, match=r"model\.onnx is missing"):
        invoke("eval", "--flip")
    (project / "best.pdparams").touch()
    with pytest.raises(UsageError, match=r"is not an \.onnx file"):
        invoke("eval", "--model", "best.pdparams", "--tile")


def test_serve_answers_and_stop_ends_it(model, invoke):
    command = [sys.executable, "-m", "maskdet", "serve", "--model", "model.onnx", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            found = re.fullmatch(r"serving model.onnx at (http://127.0.0.1:(\d+))\n", line)
            assert found, line
            with urllib.request.urlopen(f"{found[1]}/health/ready", timeout=20) as answer:  # noqa: S310
                assert answer.status == 200
            assert f"stopped {found[1]}" in invoke("stop", "--port", found[2]).output
            assert server.wait(20) == 0
        finally:
            server.kill()


def test_stop_without_a_server(model, invoke):
    with pytest.raises(ServingError, match="port 1"):
        invoke("stop", "--port", "1")
