"""The weights that training starts from, as an input of the train stage."""

from __future__ import annotations

from dataclasses import replace

import pytest
from training.start.weights_server import CONTENT, Behaviour, serving

from maskdet.errors import EnvironmentProblem, TrainingError
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.running.outcome import RunOptions
from maskdet.pipeline.running.run import run_stages
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages.config import STAGE as CONFIG
from maskdet.pipeline.stages.prepare import STAGE as PREPARE
from maskdet.pipeline.stages.start_input import NOT_FETCHED, start_input
from maskdet.pipeline.stages.train import STAGE as TRAIN
from maskdet.system.files import sha256_file
from maskdet.training.settings import ModelSettings
from maskdet.training.start.published import cached_file

COCO = ModelSettings(variant="picodet_s_320_esnet", pretrained="coco")
NAME = "picodet_s_320_coco.pdparams"
CONTENT_KEY = "file model.pretrained"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKDET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache"


def put_by_hand():
    path = cached_file("coco", COCO.variant)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return sha256_file(path)


def test_published_weights_are_known_by_content_once_they_are_here():
    assert start_input(COCO, {}) == {"model.pretrained": NAME, CONTENT_KEY: NOT_FETCHED}
    content = put_by_hand()
    assert start_input(COCO, {})[CONTENT_KEY] == content


def test_a_cache_that_was_emptied_makes_nothing_stale():
    before = {"model.pretrained": NAME, CONTENT_KEY: "0123"}
    assert start_input(COCO, before) == before
    other = COCO.model_copy(update={"variant": "picodet_s_416_esnet"})
    assert start_input(other, before)[CONTENT_KEY] == NOT_FETCHED


def test_a_file_is_known_by_content_and_its_classes_by_the_map(tmp_path):
    path = tmp_path / "w.pdparams"
    path.write_bytes(b"one")
    model = ModelSettings(pretrained=path)
    assert start_input(model, {}) == {CONTENT_KEY: sha256_file(path)}
    mapped = model.model_copy(update={"class_map": {"face": "with_mask"}})
    assert start_input(mapped, {})["model.class_map"] == {"face": "with_mask"}
    assert start_input(ModelSettings(), {}) == {CONTENT_KEY: "none"}


def test_training_fetches_before_it_begins_and_a_dry_run_does_not(tmp_path, monkeypatch):
    draw_data_set(tmp_path / "data", 12)
    said: list[str] = []
    train = {"epochs": 1, "batch_size": 4, "device": "cpu", "workers": 1}
    pipeline = PipelineFile(name="tiny", data={"root": tmp_path / "data"}, model=COCO, train=train)
    context = Context(pipeline, tmp_path / "runs" / "tiny", say=said.append)
    run_stages((PREPARE, CONFIG), context, RunOptions())
    behaviour = Behaviour()
    with serving(behaviour) as address:
        monkeypatch.setenv("MASKDET_WEIGHTS_URL", address)
        run_stages((PREPARE, CONFIG, TRAIN), context, RunOptions(dry_run=True))
        assert behaviour.requests == []
        monkeypatch.setenv("MASKDET_WEIGHTS_URL", f"{address}/gone")
        behaviour.statuses = [404]
        refused = run_stages((PREPARE, CONFIG, TRAIN), context, RunOptions())
        assert isinstance(refused.error, EnvironmentProblem)
        assert not context.path("train").exists()
        result = run_stages((PREPARE, CONFIG, TRAIN), replace(context), RunOptions())
    assert cached_file("coco", COCO.variant).read_bytes() == CONTENT
    assert len([line for line in said if line.startswith("downloading")]) == 2
    # The worker sees that random bytes are no weights.
    assert isinstance(result.error, TrainingError)
    assert "not a weight file that can be trusted" in result.error.what
