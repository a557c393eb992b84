"""The rehearsal before a long training: real steps, evaluation, export and ONNX on a few pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from maskdet.artefacts import MANIFEST
from maskdet.dataset.manifest import load_manifest
from maskdet.errors import TrainingError
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.running.outcome import RunOptions
from maskdet.pipeline.running.run import run_stages
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages.config import STAGE as CONFIG
from maskdet.pipeline.stages.prepare import STAGE as PREPARE
from maskdet.pipeline.stages.rehearsal import FOLDER, RECORD, _prepare, _Stopwatch, rehearse
from maskdet.training.recipe.sampling import repeat_factors, steps_per_epoch
from maskdet.training.train import TrainJob

EPOCHS = 3


def context_of(root: Path, preflight: bool | str) -> Context:
    train = {"epochs": EPOCHS, "batch_size": 4, "device": "cpu", "workers": 1, "preflight": preflight}
    model = {"variant": "picodet_s_320_esnet"}
    pipeline = PipelineFile(name="tiny", data={"root": root / "data"}, model=model, train=train)
    return Context(pipeline, root / "runs" / "tiny")


def job_of(context: Context) -> TrainJob:
    pipeline = context.pipeline
    return TrainJob(
        config=context.path("config", "picodet.yml"),
        manifest=context.path("prepare", "manifest.json"),
        out=context.path("train"),
        settings=pipeline.train,
        model=pipeline.model,
    )


def said_by(context: Context) -> list[str]:
    said: list[str] = []
    rehearse(replace(context, say=said.append), job_of(context))
    return said


@pytest.fixture
def prepared(tmp_path: Path) -> Callable[[bool | str], Context]:
    draw_data_set(tmp_path / "data", 16)

    def make(preflight: bool | str) -> Context:
        context = context_of(tmp_path, preflight)
        assert run_stages((PREPARE, CONFIG), context, RunOptions()).error is None
        return context

    return make


@pytest.mark.slow
def test_it_tells_what_the_training_will_take_and_is_not_repeated(
    prepared: Callable[[bool | str], Context],
) -> None:
    context = prepared(True)
    first, last = said_by(context)
    assert first.startswith("rehearsing two steps, evaluation, export and ONNX")
    steps = 3 * EPOCHS
    for words in ("rehearsal passed in", f"{steps} steps will take about", "GB of memory", "MB of disk"):
        assert words in last
    record = json.loads((context.folder / RECORD).read_text())
    assert record["step_seconds"] > 0
    assert record["memory_mb"] > 100
    assert not context.path(FOLDER).exists()
    assert not context.path("train").exists()
    assert said_by(context) == []


def test_a_step_takes_its_share_of_the_time_between_two_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fast step between the first and the last is not reported."""
    monkeypatch.setattr("time.monotonic", iter([10.0, 12.0, 15.0]).__next__)
    stopwatch = _Stopwatch()
    for step in (1, 1, 3):
        stopwatch({"event": "step", "step": step, "memory_mb": 100})
    assert stopwatch.step_seconds == 1.5


def test_a_fault_is_found_before_anything_is_trained(prepared: Callable[[bool | str], Context]) -> None:
    context = prepared(True)
    for picture in (context.pipeline.data.root / "JPEGImages").iterdir():
        picture.write_bytes(b"no picture any more")
    with pytest.raises(TrainingError, match=r"^in the rehearsal: .*are no longer readable"):
        said_by(context)
    assert not context.path("train").exists()
    assert not (context.folder / RECORD).exists()


@pytest.mark.parametrize("preflight", ["auto", False])
def test_a_short_training_is_not_rehearsed(
    prepared: Callable[[bool | str], Context], preflight: bool | str
) -> None:
    context = prepared(preflight)
    assert said_by(context) == []
    assert not context.path(FOLDER).exists()


def test_each_machine_rehearses_alone_with_its_share(prepared: Callable[[bool | str], Context]) -> None:
    context = prepared(True)
    two = context.pipeline.train.model_copy(update={"nodes": 2, "master": "10.0.0.1:29500"})
    small = _prepare(replace(context, pipeline=context.pipeline.model_copy(update={"train": two})))
    assert (small.pipeline.train.nodes, small.pipeline.train.batch_size) == (1, 2)


@pytest.mark.parametrize(("weight", "batch_size"), [(0.2, 4), (0.2, 16), (3.0, 4), (3.0, 16)])
def test_it_takes_two_steps_or_three_whatever_the_weights_of_the_roots_are(
    prepared: Callable[[bool | str], Context], weight: float, batch_size: int
) -> None:
    context = prepared(True)
    path = context.path("prepare", MANIFEST)
    manifest = load_manifest(path)
    replace(manifest, roots=tuple(replace(root, weight=weight) for root in manifest.roots)).write(path)
    train = context.pipeline.train.model_copy(update={"batch_size": batch_size})
    small = _prepare(replace(context, pipeline=context.pipeline.model_copy(update={"train": train})))
    factors = repeat_factors(load_manifest(small.path("prepare", MANIFEST)), 0.0)
    assert steps_per_epoch(factors, batch_size) in {2, 3}


def test_crowds_that_do_not_count_leave_it_something_to_evaluate(
    prepared: Callable[[bool | str], Context],
) -> None:
    context = prepared(True)
    path = context.path("prepare", MANIFEST)
    manifest = load_manifest(path)
    *others, last = manifest.part("train")
    crowd = tuple(replace(face, difficult=True) for face in last.objects * 9)
    crowds = tuple(replace(each, part="val", objects=crowd) for each in others[:4])
    replace(manifest, pictures=(*manifest.pictures, *crowds)).write(path)
    val = load_manifest(_prepare(context).path("prepare", MANIFEST)).part("val")
    assert len(val) == 4
    assert any(not face.difficult for picture in val for face in picture.objects)
