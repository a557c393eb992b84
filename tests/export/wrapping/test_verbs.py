"""`bundle`, `inspect` and the tutorial's folder, as a user calls them."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from maskdet.cli.app import app
from maskdet.errors import StageError, UsageError
from maskdet.pipeline.references.models import model_file


@pytest.fixture
def models(exports, tmp_path, monkeypatch) -> Path:
    """The folder of the Flask tutorial in the current directory: infer_cfg.yml and picoxs.onnx."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKDET_CACHE", str(tmp_path / "cache"))
    return tutorial(exports, tmp_path)


def tutorial(exports, folder: Path) -> Path:
    models = folder / "models"
    models.mkdir()
    shutil.copy(exports.folder / "2021" / "nms" / "infer_cfg.yml", models)
    shutil.copy(exports.folder / "2021" / "nms" / "model.onnx", models / "picoxs.onnx")
    return models


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_bundle_says_what_was_compared_and_what_next(models):
    said = invoke("bundle", "models/picoxs.onnx").splitlines()
    assert said[0].startswith("PicoDet 320x320, NMS inside: with_mask (masked), without_mask (bare)")
    assert "same answers as PaddleDetection's postprocessing: 5 pictures, 10625 anchors" in said[1]
    assert said[2:] == ["wrote picoxs_bundle.onnx", "next: maskdet serve --model picoxs_bundle.onnx"]
    with pytest.raises(UsageError, match="already exists"):
        invoke("bundle", "models")
    again = invoke("bundle", "models/picoxs.onnx", "-o", "our model.onnx")
    assert "next: maskdet serve --model 'our model.onnx'" in again


def test_bundle_takes_a_config_from_elsewhere_and_answers_for_roles(models):
    (models / "infer_cfg.yml").rename("cfg.yml")
    with pytest.raises(UsageError, match="'visor'"):
        invoke("bundle", "models/picoxs.onnx", "--infer-cfg", "cfg.yml", "--labels", "mask,no_mask,visor")
    options = (
        "--infer-cfg",
        "cfg.yml",
        "--labels",
        "mask,no_mask,visor",
        "--role",
        "visor=none",
        "-o",
        "b.onnx",
    )
    assert "visor (no role)" in invoke("bundle", "models/picoxs.onnx", *options)
    with pytest.raises(UsageError, match="not LABEL=ROLE"):
        invoke("bundle", "models/picoxs.onnx", "--infer-cfg", "cfg.yml", "--role", "visor=hat")


def test_inspect_shows_a_bundle_whole(models):
    invoke("bundle", "models", "-o", "b.onnx", "--threshold", "0.4", "--licence", "CC0")
    said = invoke("inspect", "b.onnx")
    for line in (
        "b.onnx: maskdet bundle picoxs, picodet_320",
        "class without_mask: bare, counts from 0.4",
        "NMS: from score 0.025, IoU 0.6",
        "licence: CC0",
        "inputs: image tensor(uint8) ['N', 320, 320, 3]",
        "opset: 11,",
    ):
        assert line in said
    values = json.loads(invoke("inspect", "b.onnx", "--json"))
    assert values["bundle"]["thresholds"]["with_mask"] == 0.4
    assert values["bytes"] == Path("b.onnx").stat().st_size
    assert len(values["sha256"]) == 64


def test_inspect_names_the_next_step_of_a_foreign_file(models):
    said = invoke("inspect", "models/picoxs.onnx")
    assert "PaddleDetection detector with NMS inside, such as PicoDet" in said
    assert "next: `maskdet bundle models/picoxs.onnx --infer-cfg infer_cfg.yml` wraps it" in said


def test_a_folder_is_wrapped_once_and_left_as_it_is(models):
    first = model_file(Path("models"))
    made = first.stat().st_mtime_ns
    assert model_file(Path("models")) == first
    assert first.stat().st_mtime_ns == made
    assert sorted(path.name for path in models.iterdir()) == ["infer_cfg.yml", "picoxs.onnx"]
    config = models / "infer_cfg.yml"
    config.write_text(config.read_text().replace("draw_threshold: 0.5", "draw_threshold: 0.6"))
    assert model_file(Path("models")) != first


def test_a_folder_that_leaves_a_question_names_the_command(models):
    config = models / "infer_cfg.yml"
    config.write_text(config.read_text().replace("- without_mask", "- class_b"))
    with pytest.raises(UsageError, match="class_b") as caught:
        model_file(Path("models"))
    assert "`maskdet bundle models -o FILE`" in caught.value.hint
    models.rename("our models")
    with pytest.raises(UsageError, match="class_b") as caught:
        model_file(Path("our models"))
    assert "`maskdet bundle 'our models' -o FILE`" in caught.value.hint
    models.mkdir()
    with pytest.raises(StageError, match="holds no exported model"):
        model_file(Path("models"))


@pytest.fixture(scope="module")
def served(exports, tmp_path_factory) -> Iterator[str]:
    """`maskdet serve --model models/` in a process of its own; its URL."""
    folder = tmp_path_factory.mktemp("tutorial")
    tutorial(exports, folder)
    command = [sys.executable, "-m", "maskdet", "serve", "--model", "models/", "--port", "0"]
    with (
        pytest.MonkeyPatch.context() as patch,
        (folder / "log").open("w") as log,
    ):
        patch.setenv("MASKDET_CACHE", str(folder / "cache"))
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=folder, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("serving "), (folder / "log").read_text()
            yield line.split(" at ")[1].strip()
            process.terminate()
            assert process.wait(20) in (0, 143)


def test_the_tutorials_folder_is_served(exports, served):
    """As the page of the tutorial asks, and as `/v1/detect` answers."""
    picture = exports.pictures[2].read_bytes()
    body = {"image": "data:image/jpeg;base64," + base64.b64encode(picture).decode()}
    results = httpx.post(f"{served}/api/", json=body, timeout=30).json()["results"]
    theirs = exports.found("2021", "deployed", 2)
    assert {item["name"] for item in results} == {"with_mask", "without_mask"}
    for item in results:
        distances = abs(theirs.boxes - item["bbox"]).max(axis=1)
        assert distances.min() < 1
