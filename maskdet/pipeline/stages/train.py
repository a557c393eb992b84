"""train: fill train/ in place, epoch by epoch, so that it can be gone on with."""

from __future__ import annotations

from pathlib import Path

from maskdet.files import sha256_file
from maskdet.pipeline.inputs import file_input, setting_inputs
from maskdet.pipeline.stage import Context, Inputs, Stage
from maskdet.pipeline.stages.config import SPEED_SETTINGS
from maskdet.pipeline.stages.recipe_input import recipe_input
from maskdet.training.state import read_state

BEST_NAME = "best.pdparams"


def _inputs(context: Context) -> Inputs:
    pipeline = context.pipeline
    return {
        **setting_inputs("model", pipeline.model, exclude=frozenset({"pretrained"})),
        **setting_inputs("train", pipeline.train, exclude=SPEED_SETTINGS),
        **_start(pipeline.model.pretrained),
        **file_input(context, "prepare", "manifest.json"),
        **recipe_input(context),
    }


def _start(pretrained: str | Path) -> Inputs:
    path = Path(pretrained)
    known = pretrained != "none" and path.is_file()
    return {"file model.pretrained": sha256_file(path) if known else str(pretrained)}


def _run(context: Context, out: Path) -> str:
    from maskdet.training.train import TrainJob, start_over, train

    job = TrainJob(
        config=context.path("config", "picodet.yml"),
        manifest=context.path("prepare", "manifest.json"),
        data_root=context.pipeline.data.root,
        out=out,
        settings=context.pipeline.train,
        model=context.pipeline.model,
    )
    if not context.resume:
        start_over(out)
    summary = train(job, on_event=context.on_event, resume=context.resume)
    early = ", stopped early" if summary.stopped_early else ""
    return f"AP50 {summary.best_ap50:.1%} at epoch {summary.best_epoch} of {summary.epochs}{early}"


def _unfinished(context: Context) -> str | None:
    state = read_state(context.path("train"))
    if state is None or state.finished:
        return None
    return f"train/ holds an unfinished run at epoch {state.epoch} of {state.epochs}"


# Only the best checkpoint counts as output: deleting the optimiser's state to save space undoes no training.
TRAIN = Stage("train", _inputs, _run, keeps=(BEST_NAME,), staged=False, unfinished=_unfinished)
