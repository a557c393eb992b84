"""The train stage around real trainings: interrupted, gone on with, cut off at the end, started over."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import save_file

from maskdet.artefacts import BEST
from maskdet.detector.shipped import ships_model
from maskdet.errors import Interrupted, PipelineFileError, StageError
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.running.cache import StageRecord, inputs_of, written
from maskdet.pipeline.running.outcome import RunOptions, RunResult, State
from maskdet.pipeline.running.run import can_resume, run_stages
from maskdet.pipeline.running.stage import Context, Event
from maskdet.pipeline.stages import STAGES
from maskdet.pipeline.stages.config import STAGE as CONFIG
from maskdet.pipeline.stages.prepare import STAGE as PREPARE
from maskdet.pipeline.stages.train import PREVIOUS, _job, _set_aside
from maskdet.pipeline.stages.train import STAGE as TRAIN
from maskdet.training.state import STATE_NAME, TrainState, read_state

TO_TRAIN = (PREPARE, CONFIG, TRAIN)
EPOCHS = 4
"""Of a training that is stopped: more than it comes to before the signal reaches it."""


def context_of(root: Path, **train: object) -> Context:
    settings = {"epochs": 2, "batch_size": 4, "device": "cpu", "workers": 1, **train}
    model = {"variant": "picodet_s_320_esnet"}
    pipeline = PipelineFile(name="tiny", data={"root": root / "data"}, model=model, train=settings)
    return Context(pipeline, root / "runs" / "tiny")


def stop_after_first_epoch(event: Event) -> None:
    # The state is written after the epoch's event, so the next epoch's first event comes later than it.
    if event["event"] == "step" and event["epoch"] == 2:
        raise KeyboardInterrupt


def run(context: Context, **options: object) -> RunResult:
    return run_stages(TO_TRAIN, context, RunOptions(**options))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose training was stopped in its second epoch, or on a busy machine in a later one."""
    root = tmp_path_factory.mktemp("stopped")
    draw_data_set(root / "data", 12)
    result = run(replace(context_of(root, epochs=EPOCHS), on_event=stop_after_first_epoch))
    assert isinstance(result.error, Interrupted)
    return root


@pytest.mark.slow
def test_a_stopped_training_goes_on_and_what_follows_protects_it(stopped):
    context = context_of(stopped, epochs=EPOCHS)
    folder = context.path("train")
    state = read_state(folder)
    assert state is not None
    assert not state.finished
    reached = f"unfinished run at epoch {state.epoch} of {EPOCHS}"
    assert can_resume(STAGES, context)

    refused = run(context)
    assert isinstance(refused.error, StageError)
    assert reached in refused.error.what
    assert str(run(context, dry_run=True).error) == str(refused.error)
    foreseen = run(context, dry_run=True, resume=True)
    assert foreseen.outcomes[2].reason == f"resumed: train/ holds an {reached}"
    changed = run(context_of(stopped, epochs=EPOCHS, seed=7), resume=True)
    assert isinstance(changed.error, StageError)
    assert "train.seed 0 → 7" in changed.error.what

    events: list[Event] = []
    done = run(replace(context, on_event=events.append), resume=True)
    assert done.error is None
    assert done.outcomes[2].state is State.RAN
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == [
        *range(state.epoch + 1, EPOCHS + 1)
    ]
    assert run(context).up_to_date

    _a_record_that_was_cut_off_costs_no_training(context)
    mistaken = context_of(stopped, epochs=EPOCHS, python=stopped / "nothing", seed=3)
    _a_failing_start_brings_the_finished_training_back(mistaken)
    assert keeps_its_training(context)


def _a_record_that_was_cut_off_costs_no_training(context: Context) -> None:
    place = context.folder / ".stages" / "train.json"
    record = json.loads(place.read_text())
    place.write_text(json.dumps({**record, "finished": False, "outputs": None}))
    refused = run(context)
    assert isinstance(refused.error, StageError)
    assert "cut off at the very end" in refused.error.what
    before = context.path("train", BEST).stat()
    done = run(context, resume=True)
    assert done.error is None
    assert "epoch" in done.outcomes[2].figure
    assert context.path("train", BEST).stat().st_mtime_ns == before.st_mtime_ns
    assert run(context).up_to_date


def _a_failing_start_brings_the_finished_training_back(context: Context) -> None:
    before = context.path("train", BEST).stat()
    result = run(context)
    assert result.error is not None
    assert context.path("train", BEST).stat().st_mtime_ns == before.st_mtime_ns
    assert not context.path(PREVIOUS).exists()


@pytest.fixture
def finished(tmp_path: Path) -> Context:
    """A project whose folder holds what a finished training leaves, with other bytes for weights."""
    draw_data_set(tmp_path / "data", 12)
    context = context_of(tmp_path)
    assert run_stages((PREPARE, CONFIG), context, RunOptions()).error is None
    leave_a_training(context, epoch=2)
    record = StageRecord(inputs_of(context, TRAIN), finished=True, outputs=written(context, TRAIN))
    record.write(context, TRAIN)
    assert run(context).up_to_date
    return context


def leave_a_training(context: Context, epoch: int) -> None:
    folder = context.path("train")
    folder.mkdir(exist_ok=True)
    (folder / BEST).write_bytes(b"the weights")
    state = TrainState(epoch, 2, epoch == 2, 0.5, 1, 0, _job(context).fingerprint())
    save_file({}, folder / STATE_NAME, metadata=state.to_header())


def keeps_its_training(context: Context) -> bool:
    return run(context).outcomes[2].state is State.UP_TO_DATE


def changed(context: Context, section: str, **settings: object) -> Context:
    values = {**context.pipeline.model_dump(), section: settings}
    return replace(context, pipeline=PipelineFile(**values))


def test_a_fault_found_beforehand_leaves_the_last_training_its_record(finished: Context) -> None:
    mistaken = changed(context_of(finished.folder.parents[1], epochs=5), "eval", threshold={"nobody": 0.5})
    for again in ({}, {"resume": True}, {"resume": True, "unattended": True}):
        result = run(mistaken, **again)
        assert "nobody" in str(result.error)
        assert not can_resume(STAGES, mistaken)
    assert keeps_its_training(finished)


@pytest.mark.parametrize("settings", [{}, {"seed": 3}])
def test_a_training_that_never_began_leaves_the_last_one_in_its_place(
    finished: Context, settings: dict[str, object]
) -> None:
    root = finished.folder.parents[1]
    said: list[str] = []
    mistaken = replace(context_of(root, python=root / "nothing", **settings), say=said.append)
    result = run(mistaken, force=frozenset({"train"}))
    assert "cannot start" in str(result.error)
    kept, _, back = said
    assert f"kept in {mistaken.path(PREVIOUS)}" in kept
    assert back == f"the last training is back in {mistaken.path('train')}"
    assert not finished.path(PREVIOUS).exists()
    assert not finished.path("train", ".stages").exists()
    assert keeps_its_training(finished)


def test_what_was_set_aside_comes_back_with_its_own_record(finished: Context, tmp_path: Path) -> None:
    """A second training was stopped after an epoch, and a third one never began."""
    root = finished.folder.parents[1]
    second = context_of(root, seed=3)
    _set_aside(second)
    StageRecord(inputs_of(second, TRAIN)).write(second, TRAIN)
    leave_a_training(second, epoch=1)
    assert can_resume(STAGES, second)
    result = run(context_of(root, python=tmp_path / "nothing", seed=4), force=frozenset({"train"}))
    assert result.error is not None
    assert keeps_its_training(finished)


def test_weights_of_other_settings_are_no_training_that_was_cut_off(finished: Context) -> None:
    other = context_of(finished.folder.parents[1], seed=3)
    for context, resumable in ((other, False), (finished, True)):
        StageRecord(inputs_of(context, TRAIN)).write(context, TRAIN)
        assert can_resume(STAGES, context) is resumable


@pytest.mark.slow
@pytest.mark.skipif(not ships_model(), reason="this build ships no model")
def test_the_figure_names_the_start(tmp_path):
    draw_data_set(tmp_path / "data", 12)
    context = context_of(tmp_path, epochs=1)
    model = context.pipeline.model.model_copy(update={"pretrained": "default"})
    done = run(replace(context, pipeline=context.pipeline.model_copy(update={"model": model})))
    assert done.error is None
    either = r"0 \(the start\) of 1|1 of 1 \(start [\d.]+%\)"
    assert re.fullmatch(rf"AP50 [\d.]+% at epoch ({either})", done.outcomes[2].figure)


def test_weights_to_start_from_must_exist(tmp_path):
    draw_data_set(tmp_path / "data", 12)
    context = context_of(tmp_path)
    model = context.pipeline.model.model_copy(update={"pretrained": tmp_path / "none.pdparams"})
    pipeline = context.pipeline.model_copy(update={"model": model})
    result = run(replace(context, pipeline=pipeline))
    assert isinstance(result.error, PipelineFileError)
    assert "none.pdparams does not exist" in result.error.what


def test_a_damaged_state_can_be_forced_away(tmp_path):
    draw_data_set(tmp_path / "data", 12)
    context = context_of(tmp_path, python=tmp_path / "nothing")
    context.path("train").mkdir(parents=True)
    context.path("train", STATE_NAME).write_bytes(b"junk")
    damaged = run(context)
    assert damaged.error is not None
    assert "damaged" in damaged.error.what
    assert not can_resume(STAGES, context)
    run(context, force=frozenset({"train"}))
    assert not context.path("train", STATE_NAME).exists()
