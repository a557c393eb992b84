"""The verbs of the pipeline from Python: results, errors in the commands' words, quiet when asked to be."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path

import pytest
from support import write_tiny_bundle

import maskdet
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.running.cache import StageRecord, inputs_of, written
from maskdet.pipeline.session import open_pipeline
from maskdet.pipeline.stages import STAGES


@pytest.fixture
def project(here: Path) -> Path:
    """The current directory: a drawn data set in faces/ and a pipeline.yml for it."""
    draw_data_set(here / "faces", 8)
    (here / "pipeline.yml").write_text("name: demo\ndata: {root: faces}\ntrain: {batch_size: 2}\n")
    return here


def pretend_run(project: Path) -> Path:
    """What train, eval and export would write, recorded as done; returns the model."""
    maskdet.run(end="config", progress=False)
    context = open_pipeline(None, (), Path("runs"))
    labels = ("with_mask", "without_mask")
    names = ("best.pdparams", "metrics.json", "parity.json")
    for stage, name in zip(STAGES[2:], names, strict=True):
        context.path(stage.name).mkdir()
        context.path(stage.name, name).write_text('{"score_difference": 1e-6, "box_difference": 0.01}')
        if stage.name == "eval":
            judged = {"threshold": 0.5}
            figures = {"ap50": 0.9, "ap50_95": 0.5, "classes": dict.fromkeys(labels, judged)}
            context.path("eval", name).write_text(json.dumps(figures))
            context.path("eval", "report.md").write_text("# Evaluation\n")
        if stage.name == "export":
            write_tiny_bundle(context.path("export", "model.onnx"), labels=labels)
        StageRecord(inputs_of(context, stage), True, written(context, stage), 1.0, "figure").write(
            context, stage
        )
    return context.path("export", "model.onnx")


def test_prepare_gives_the_split(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = maskdet.prepare(progress=False)
    assert (done.pictures, done.train, done.val) == (8, 6, 2)
    assert done.labels == ("with_mask", "without_mask")
    assert done.folder == project / "runs" / "demo" / "prepare"
    assert (done.folder / "manifest.json").is_file()
    assert capsys.readouterr() == ("", "")


def test_progress_is_shown_unless_it_is_not_wanted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    maskdet.prepare()
    shown = capsys.readouterr()
    assert shown.out == "running prepare (has not run)\n"
    assert not shown.err


def test_overrides_and_the_results_folder(project: Path) -> None:
    done = maskdet.prepare(
        Path("pipeline.yml"), overrides=["data.split.ratio=1:1", "name=other"], runs="found", progress=False
    )
    assert (done.train, done.val) == (4, 4)
    assert done.folder == project / "found" / "other" / "prepare"


def test_run_tells_of_every_stage(project: Path) -> None:
    done = maskdet.run(end="config", progress=False)
    states = {each.stage: each.state.value for each in done.stages}
    assert states["prepare"] == states["config"] == "ran"
    assert (done.model, done.evaluation) == (None, None)
    assert done.report == project / "runs" / "demo" / "report.md"
    again = maskdet.run(end="config", progress=False)
    assert {each.state.value for each in again.stages[:2]} == {"up to date"}
    assert repr(again).startswith("<RunSummary: prepare up to date, config up to date, train skipped")


def test_a_dry_run_writes_nothing(project: Path) -> None:
    done = maskdet.run(dry_run=True, progress=False)
    assert [each.state.value for each in done.stages] == ["would run"] * 5
    assert done.report is None
    assert not (project / "runs").exists()


def test_a_finished_run_gives_model_and_figures(project: Path) -> None:
    model = pretend_run(project)
    done = maskdet.run(progress=False)
    assert {each.state.value for each in done.stages} == {"up to date"}
    assert done.model == model
    assert done.evaluation is not None
    assert (done.evaluation.ap50, done.evaluation.ap50_95) == (0.9, 0.5)
    assert done.evaluation.thresholds == {"with_mask": 0.5, "without_mask": 0.5}
    assert done.evaluation._repr_markdown_() == "# Evaluation\n"
    exported = maskdet.export_model(progress=False)
    assert exported.model == model
    assert (exported.score_difference, exported.box_difference) == (1e-6, 0.01)
    assert maskdet.load(done.folder).path == model


def test_any_model_is_judged(project: Path) -> None:
    model = write_tiny_bundle(project / "tiny.onnx", labels=("with_mask", "without_mask"))
    judged = maskdet.evaluate(model=model, progress=False)
    assert judged.folder == project / "runs" / "demo" / "eval-tiny"
    assert judged.figures["pictures"] == 2
    assert 0 <= judged.ap50 <= 1
    assert judged.worst.is_file()
    assert judged.report.startswith("# Evaluation")
    assert repr(judged).startswith("<EvaluateResult: AP50 ")
    closer = maskdet.evaluate(model=str(model), flip=True, progress=False)
    assert closer.folder.name == "eval-tiny-flip"
    assert (closer.folder / "looks.json").is_file()


def test_a_label_that_the_model_lacks_has_no_threshold(project: Path) -> None:
    model = write_tiny_bundle(project / "tiny.onnx", labels=("with_mask",))
    judged = maskdet.evaluate(model=model, progress=False)
    assert judged.figures["classes"]["without_mask"]["threshold"] is None
    assert judged.thresholds == {"with_mask": 0.5}


def test_a_look_without_a_model_takes_the_exported_one(project: Path) -> None:
    pretend_run(project)
    assert maskdet.evaluate(flip=True, progress=False).folder.name == "eval-model-flip"


@pytest.mark.parametrize(
    ("verb", "options", "error", "what"),
    [
        ("run", {"config": "none.yml"}, maskdet.PipelineFileError, "none.yml: no such pipeline file"),
        ("run", {"overrides": ["train.epoch=1"]}, maskdet.PipelineFileError, "epochs"),
        ("run", {"overrides": "train.epochs=1"}, maskdet.UsageError, "overrides is the string"),
        ("run", {"overrides": {"train.epochs": 1}}, maskdet.UsageError, "overrides is a dict"),
        ("run", {"end": "trian"}, maskdet.UsageError, "no stage 'trian'"),
        ("run", {"runs": "pipeline.yml"}, maskdet.MaskdetError, "pipeline.yml/.*: Not a directory"),
        ("prepare", {"runs": "pipeline.yml"}, maskdet.MaskdetError, "pipeline.yml/.*: Not a directory"),
        ("prepare", {"overrides": ["data.root=none"]}, maskdet.DatasetError, "none"),
        ("export_model", {}, maskdet.StageError, "train is not up to date"),
        ("evaluate", {"model": "none.onnx"}, maskdet.UsageError, "no such model"),
        ("evaluate", {"model": object()}, maskdet.UsageError, "type object does not name a model"),
        ("evaluate", {"tile": True}, maskdet.StageError, "model.onnx is missing"),
    ],
)
def test_errors_are_those_of_the_commands(
    project: Path, verb: str, options: dict[str, object], error: type[maskdet.MaskdetError], what: str
) -> None:
    with pytest.raises(error, match=what) as caught:
        getattr(maskdet, verb)(**options, progress=False)
    assert caught.value.hint


def test_a_verb_may_run_in_any_thread_and_leaves_signals_alone(project: Path) -> None:
    numbers = [signal.SIGINT, signal.SIGTERM]
    before = [signal.getsignal(number) for number in numbers]
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.append(maskdet.prepare(progress=False)))
    thread.start()
    thread.join()
    assert isinstance(done[0], maskdet.PrepareResult)
    assert [signal.getsignal(number) for number in numbers] == before
