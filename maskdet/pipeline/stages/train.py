"""train: fill train/ in place, epoch by epoch, so that it can be resumed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.artefacts import BEST, CONFIG, CURVES_PAGE, MANIFEST
from maskdet.pipeline.running.cache import RECORDS, read_record
from maskdet.pipeline.running.inputs import setting_inputs
from maskdet.pipeline.running.stage import Context, Inputs, Stage
from maskdet.pipeline.stages.config import SPEED_SETTINGS, START_SETTINGS
from maskdet.pipeline.stages.manifest_input import manifest_input, role_input
from maskdet.pipeline.stages.recipe_input import recipe_input
from maskdet.pipeline.stages.start_input import NOT_FETCHED, VERSION, start_input
from maskdet.training.start.starting import fetch_start
from maskdet.training.state import STATE_NAME, read_state

if TYPE_CHECKING:
    from maskdet.training.train import TrainJob, TrainSummary

PREVIOUS = "train.previous"
"""Where the last training is kept until a new one has finished, so that a mistake does not cost hours. Its
record is with it, in RECORDS."""


def _inputs(context: Context) -> Inputs:
    pipeline = context.pipeline
    return {
        **setting_inputs("model", pipeline.model, exclude=START_SETTINGS),
        **setting_inputs("train", pipeline.train, exclude=SPEED_SETTINGS),
        **_start(context),
        **manifest_input(context),
        **role_input(context),
        **recipe_input(context),
    }


def _start(context: Context) -> Inputs:
    record = read_record(context, STAGE)
    pipeline = context.pipeline
    return start_input(pipeline.model, record.inputs if record else {}, pipeline.registry.root)


def _fetch(context: Context) -> None:
    # A finished training's start is known without the file.
    if NOT_FETCHED in _start(context).values():
        fetch_start(context.pipeline.model, track=context.track, say=context.say)


def _clear(context: Context, inputs: Inputs) -> None:
    from maskdet.dataset.manifest import load_manifest
    from maskdet.evaluation.appraisal import check_labels
    from maskdet.pipeline.stages.rehearsal import rehearse

    context = settled(context, str(inputs.get(VERSION, "")))
    fetch_start(context.pipeline.model, track=context.track, say=context.say)
    job = _job(context)
    # Its faults, too, are reported before the last training is set aside.
    job.start()
    # What names labels in later stages: a slip there should not cost hours.
    labels = load_manifest(job.manifest).labels
    check_labels(context.pipeline.eval, labels)
    context.pipeline.gates.floors.check_labels(labels)
    rehearse(context, job)
    _set_aside(context)


def _run(context: Context, out: Path) -> str:
    from maskdet.pipeline.running.tracking import tracked
    from maskdet.training.train import train

    context = settled(context, started_from(context))
    fetch_start(context.pipeline.model, track=context.track, say=context.say)
    job = _job(context)
    if context.resume and (figure := _finished_before(job)):
        return figure
    context.say(f"curves: {out / CURVES_PAGE}")
    with _put_back_if_it_fails(context), tracked(context) as followed:
        summary = train(job, on_event=followed.on_event, resume=context.resume)
    shutil.rmtree(context.path(PREVIOUS), ignore_errors=True)
    for line in summary.advice:
        context.say(line)
    return _figure(summary)


def _job(context: Context) -> TrainJob:
    from maskdet.training.train import TrainJob

    pipeline = context.pipeline
    return TrainJob(
        config=context.path("config", CONFIG),
        manifest=context.path("prepare", MANIFEST),
        out=context.path("train"),
        settings=pipeline.train,
        model=pipeline.model,
        registry=pipeline.registry.root,
    )


def settled(context: Context, version: str) -> Context:
    """The pipeline with the registered `version` that was meant when the training started, whatever an alias
    means now; "" if it starts from none.
    """
    if not version:
        return context
    model = context.pipeline.model.model_copy(update={"pretrained": Path(version)})
    return replace(context, pipeline=context.pipeline.model_copy(update={"model": model}))


def started_from(context: Context) -> str:
    """Reference of the registered version that the run's last training started from, "" if from none."""
    record = read_record(context, STAGE)
    return str(record.inputs.get(VERSION, "")) if record else ""


def _figure(summary: TrainSummary) -> str:
    ends = {"patience": ", stopped early", "max_hours": ", ended by train.max_hours"}
    return (
        _best(summary.best_ap50, summary.best_epoch, summary.epochs, summary.start_ap50)
        + ends.get(summary.reason, "")
        + (f", {summary.lost} unreadable left out" if summary.lost else "")
    )


def _best(ap50: float, epoch: int | None, epochs: int, start: float | None) -> str:
    """The best epoch, and the start if it was evaluated."""
    if epoch == 0:
        return f"AP50 {ap50:.1%} at epoch 0 (the start) of {epochs}"
    return f"AP50 {ap50:.1%} at epoch {epoch} of {epochs}" + (
        "" if start is None else f" (start {start:.1%})"
    )


def _set_aside(context: Context) -> None:
    """Clear the folder. The last training is kept beside it until the new one has finished."""
    from maskdet.training.train import start_over

    out, previous = context.path("train"), context.path(PREVIOUS)
    if not (out / BEST).is_file() or previous.exists():
        start_over(out)
        return
    if record := read_record(context, STAGE):
        record.write(replace(context, folder=out), STAGE)
    out.replace(previous)
    context.say(f"the last training is kept in {previous} until this one has finished")


@contextmanager
def _put_back_if_it_fails(context: Context) -> Iterator[None]:
    """Put the last training back if the new one fails, or is stopped, before it has anything to resume."""
    try:
        yield
    except BaseException:
        if context.path(PREVIOUS).exists() and not context.path("train", STATE_NAME).exists():
            _put_back(context)
        raise


def _put_back(context: Context) -> None:
    from maskdet.tracking.follower import forget
    from maskdet.training.train import LOG_NAME

    out, previous = context.path("train"), context.path(PREVIOUS)
    if (out / LOG_NAME).exists():
        # The error may name it.
        (out / LOG_NAME).replace(previous / LOG_NAME)
    shutil.rmtree(out)
    # The record comes first: weights that lie beside the record of others would be taken for those.
    if record := read_record(replace(context, folder=previous), STAGE):
        record.write(context, STAGE)
        shutil.rmtree(previous / RECORDS)
    previous.replace(out)
    # The trackers' runs are those of the training that failed.
    forget(context.folder)
    context.say(f"the last training is back in {out}")


def _finished_before(job: TrainJob) -> str | None:
    """The key figure of a training that finished, but was cut off before that was recorded."""
    state = read_state(job.out)
    if state is None or not state.finished or state.fingerprint != job.fingerprint():
        return None
    return _best(state.best_ap50 or 0, state.best_epoch, state.epoch, state.start_ap50)


def _unfinished(context: Context) -> str | None:
    state = read_state(context.path("train"))
    if state is None:
        return None
    if not state.finished:
        return f"train/ holds an unfinished run at epoch {state.epoch} of {state.epochs}"
    record = read_record(context, STAGE)
    if (
        record is not None
        and not record.finished
        and _finished_before(_job(settled(context, started_from(context))))
    ):
        return f"train/ holds a run of {state.epoch} epochs that was cut off at the very end"
    return None


# Only the best checkpoint counts as output: deleting the optimiser's state to save space does not undo a
# training.
STAGE = Stage(
    "train",
    _inputs,
    _run,
    keeps=(BEST,),
    long=True,
    staged=False,
    settled=frozenset({VERSION}),
    clear=_clear,
    unfinished=_unfinished,
    packages=("matplotlib",),
    fetch=_fetch,
)
