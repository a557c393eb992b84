"""train: fill train/ in place, epoch by epoch, so that it can be resumed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.artefacts import BEST, CONFIG, CURVES_PAGE, MANIFEST
from maskdet.pipeline.running.cache import read_record
from maskdet.pipeline.running.inputs import setting_inputs
from maskdet.pipeline.running.stage import Context, Inputs, Stage
from maskdet.pipeline.stages.config import SPEED_SETTINGS, START_SETTINGS
from maskdet.pipeline.stages.manifest_input import manifest_input, role_input
from maskdet.pipeline.stages.recipe_input import recipe_input
from maskdet.pipeline.stages.start_input import NOT_FETCHED, VERSION, start_input
from maskdet.training.start.starting import fetch_start, start_of
from maskdet.training.state import read_state

if TYPE_CHECKING:
    from maskdet.training.train import TrainJob, TrainSummary

PREVIOUS = "train.previous"
"""Where the last training is kept until a new one has finished, so that a mistake does not cost hours."""


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


def _run(context: Context, out: Path) -> str:
    from maskdet.dataset.manifest import load_manifest
    from maskdet.evaluation.appraisal import check_labels
    from maskdet.pipeline.running.tracking import tracked
    from maskdet.pipeline.stages.rehearsal import rehearse
    from maskdet.training.train import TrainJob, train

    context = settled(context)
    pipeline, registry = context.pipeline, context.pipeline.registry.root
    fetch_start(pipeline.model, track=context.track, say=context.say)
    # Its faults are reported before the last training is set aside.
    start_of(pipeline.model, registry=registry)
    job = TrainJob(
        config=context.path("config", CONFIG),
        manifest=context.path("prepare", MANIFEST),
        out=out,
        settings=pipeline.train,
        model=pipeline.model,
        registry=registry,
    )
    if context.resume and (figure := _finished_before(job)):
        return figure
    if not context.resume:
        # What names labels in later stages: a slip there should not cost hours.
        labels = load_manifest(job.manifest).labels
        check_labels(pipeline.eval, labels)
        pipeline.gates.floors.check_labels(labels)
        rehearse(context, job)
        _set_aside(out)
    context.say(f"curves: {out / CURVES_PAGE}")
    with tracked(context) as followed:
        summary = train(job, on_event=followed.on_event, resume=context.resume)
    shutil.rmtree(out.with_name(PREVIOUS), ignore_errors=True)
    for line in summary.advice:
        context.say(line)
    return _figure(summary)


def settled(context: Context) -> Context:
    """The pipeline with the version that was meant when the training started, whatever an alias means now."""
    version = started_from(context)
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


def _set_aside(out: Path) -> None:
    """Clear the folder. The previous training is kept beside it until the new one has finished."""
    from maskdet.training.train import start_over

    if (out / BEST).is_file() and not out.with_name(PREVIOUS).exists():
        out.replace(out.with_name(PREVIOUS))
        out.mkdir()
    else:
        start_over(out)


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
    if record is not None and not record.finished:
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
    unfinished=_unfinished,
    packages=("matplotlib",),
    fetch=_fetch,
)
