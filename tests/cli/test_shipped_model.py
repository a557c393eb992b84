"""predict, serve and eval with the model of the package, in builds that ship one and in one that does not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from support import paint, write_tiny_bundle

from maskdet.cli.session import open_serving, sources_of, stand_in
from maskdet.detector import shipped
from maskdet.detector.catalogue import FAMILY
from maskdet.errors import EnvironmentProblem, PipelineFileError, StageError
from maskdet.serving.engine.source import Source

RUNS = Path("runs")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """photo.png in an empty current directory."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(paint({(1, 1): "with_mask", (5, 5): "without_mask"})).save("photo.png")
    return tmp_path


@pytest.fixture
def build(tmp_path_factory, monkeypatch):
    """A build whose shipped model is the tiny one."""
    folder = tmp_path_factory.mktemp("models")
    monkeypatch.setattr(shipped, "_FOLDER", folder)
    return write_tiny_bundle(folder / FAMILY["default"].bundle)


@pytest.fixture
def bare_build(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(shipped, "_FOLDER", tmp_path_factory.mktemp("none"))


def test_predict_without_anything_uses_the_shipped_model_and_says_so(here, build, invoke):
    result = invoke("predict", "photo.png")
    assert "with_mask 1, without_mask 1" in result.output
    assert "no pipeline.yml here: using the shipped face-mask model" in result.output


def test_default_is_a_model_beside_a_pipeline_file_too(here, build, invoke):
    (here / "pipeline.yml").write_text("name: demo\ndata: {root: .}\n")
    result = invoke("predict", "photo.png", "--model", "default")
    assert "with_mask 1" in result.output
    assert "using the shipped" not in result.output


def test_a_pipeline_that_was_not_exported_is_not_passed_over(here, build, invoke):
    (here / "pipeline.yml").write_text("name: demo\ndata: {root: .}\n")
    with pytest.raises(StageError, match="is missing") as caught:
        invoke("predict", "photo.png")
    assert "`--model default`" in caught.value.hint


def test_serve_takes_it_alone_and_by_name(here, build):
    assert stand_in(None) == Path("default")
    context = open_serving(None, [], RUNS, named=True)
    assert sources_of(context, ["default"]) == {"": Source(build)}
    assert sources_of(context, ["faces=default"]) == {"faces": Source(build)}
    (here / "pipeline.yml").write_text("name: demo\ndata: {root: .}\nserve: {models: {faces: default}}\n")
    assert sources_of(open_serving(None, [], RUNS, named=False), []) == {"faces": Source(build)}


def test_eval_judges_it(project, build, invoke):
    write_tiny_bundle(build, labels=("with_mask", "without_mask"))
    assert "AP50" in invoke("eval", "--model", "default").output
    assert (project / "runs" / "demo" / "eval-face_mask" / "metrics.json").is_file()


def test_a_build_without_a_model(here, bare_build, invoke):
    with pytest.raises(PipelineFileError, match=r"pipeline\.yml: no such"):
        invoke("predict", "photo.png")
    with pytest.raises(EnvironmentProblem, match="ships no default model"):
        invoke("predict", "photo.png", "--model", "default")
    (here / "pipeline.yml").write_text("name: demo\ndata: {root: .}\n")
    with pytest.raises(StageError) as caught:
        invoke("predict", "photo.png")
    assert "default" not in caught.value.hint


@pytest.mark.skipif(not shipped.ships_model(), reason="this build ships no default model")
def test_serve_starts_with_nothing_but_the_package(here):
    command = [sys.executable, "-m", "maskdet", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            assert re.fullmatch(r"serving .*face_mask\.onnx at http://127.0.0.1:\d+\n", line), line
        finally:
            server.kill()


@pytest.mark.skipif(not shipped.ships_model(), reason="this build ships no default model")
def test_the_shipped_model_answers(here, invoke):
    invoke("predict", "photo.png", "--format", "json")
    assert json.loads((here / "predictions" / "predictions.json").read_text())["pictures"]
