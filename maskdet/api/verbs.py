"""The stages of a pipeline as functions: what the commands of the same names do, returning results.

All raise `MaskdetError` with the commands' messages: PipelineFileError for a fault in the pipeline file or an
override, StageError if an earlier stage has not run or another process is using the results folder.
Ctrl-C, and a notebook's stop button, raise Interrupted; finished work is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from maskdet.api.arguments import checked_overrides, model_path
from maskdet.api.results import (
    EvaluateResult,
    ExportResult,
    PrepareResult,
    RunSummary,
    TrainResult,
    evaluate_result,
    export_result,
    prepare_result,
    run_summary,
    train_result,
)
from maskdet.api.system_errors import system_errors_told
from maskdet.api.work import advance
from maskdet.detector.tiling import Look
from maskdet.pipeline.chain import (
    chain_options,
    finish_chain,
    finish_stage,
    report_chain,
    stage_options,
)
from maskdet.pipeline.places import DEFAULT_CONFIG, RUNS
from maskdet.pipeline.references.models import model_of
from maskdet.pipeline.running.run import Then
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.session import open_pipeline
from maskdet.pipeline.stages.eval import Judgement

Name = str | PathLike[str]


def run(
    config: Name = DEFAULT_CONFIG,
    *,
    overrides: Sequence[str] = (),
    runs: Name = RUNS,
    start: str | None = None,
    end: str | None = None,
    force: bool = False,
    resume: bool = False,
    dry_run: bool = False,
    progress: bool = True,
) -> RunSummary:
    """Run prepare, config, train, eval and export, skipping what is up to date; like `maskdet run`.

    >>> done = maskdet.run("pipeline.yml", overrides=["train.epochs=5"])
    >>> done.evaluation.ap50, done.model
    >>> detector = maskdet.load(done.model)

    config: the pipeline file.
    overrides: "key=value" each, such as "train.epochs=5"; relative paths start at the current directory.
    runs: where results go, one folder per pipeline.
    start, end: the first and the last stage to run, by name.
    force: run the chosen stages even if up to date, and start unfinished work over.
    resume: resume an unfinished training.
    dry_run: report what would run, and write nothing; raises what would be refused.
    progress: show progress on standard output.

    Training needs PaddleDetection; `maskdet doctor` shows how to install it.
    """
    context = _opened(config, overrides, runs)
    options = chain_options(start, end, force=force, dry_run=dry_run, resume=resume)
    with system_errors_told():
        result = advance(context, options, progress=progress, then=None if dry_run else report_chain)
    if dry_run:
        if result.error is not None:
            raise result.error
        return run_summary(context, result, None)
    return run_summary(context, result, finish_chain(context, options, result))


def prepare(
    config: Name = DEFAULT_CONFIG,
    *,
    overrides: Sequence[str] = (),
    runs: Name = RUNS,
    force: bool = False,
    progress: bool = True,
) -> PrepareResult:
    """Check, split and describe the VOC folder; like `maskdet prepare`. Arguments as for `run`.

    Raises DatasetError, whose `faults` has one line for each; nothing is written then.
    """
    context = _opened(config, overrides, runs)
    _bring_up(context, "prepare", force=force, progress=progress)
    return prepare_result(context)


def train(
    config: Name = DEFAULT_CONFIG,
    *,
    overrides: Sequence[str] = (),
    runs: Name = RUNS,
    force: bool = False,
    resume: bool = False,
    progress: bool = True,
) -> TrainResult:
    """Train with PaddleDetection in a separate process; like `maskdet train`.

    Arguments as for `run`.
    Raises TrainingError, and StageError if there is an unfinished training and neither `resume` nor
    `force` is set.
    """
    context = _opened(config, overrides, runs)
    _bring_up(context, "train", force=force, resume=resume, progress=progress)
    return train_result(context)


def evaluate(
    config: Name = DEFAULT_CONFIG,
    *,
    model: Name | None = None,
    tile: bool = False,
    flip: bool = False,
    overrides: Sequence[str] = (),
    runs: Name = RUNS,
    force: bool = False,
    progress: bool = True,
) -> EvaluateResult:
    """Evaluate a model on the val split of a pipeline's data; like `maskdet eval`.

    model: an .onnx bundle, a .pdparams file, a results folder, "models:NAME@ALIAS", a registered model, or
    a shipped one by name, such as "default"; by default the pipeline's best checkpoint.
    tile, flip: extra passes, as for `MaskDetector`; need an exported model. The report shows what they gain.

    The other arguments are as for `run`. Only .pdparams files need PaddleDetection.
    Raises BundleError when the model's labels are not those of the data.
    """
    context = _opened(config, overrides, runs)
    if model is None and not (tile or flip):
        _bring_up(context, "eval", force=force, progress=progress)
        return evaluate_result(context.path("eval"))
    judge = Judgement(model_of(context, None if model is None else model_path(model)), Look(tile, flip))
    _bring_up(context, judge.after, progress=progress, then=judge)
    return evaluate_result(judge.folder)


def export_model(
    config: Name = DEFAULT_CONFIG,
    *,
    overrides: Sequence[str] = (),
    runs: Name = RUNS,
    force: bool = False,
    progress: bool = True,
) -> ExportResult:
    """Export the best checkpoint and check that the formats agree; like `maskdet export`.

    Arguments as for `run`. Raises ExportError if they differ by more than the tolerance.
    """
    context = _opened(config, overrides, runs)
    _bring_up(context, "export", force=force, progress=progress)
    return export_result(context)


def _opened(config: Name, overrides: Sequence[str], runs: Name) -> Context:
    named = Path(config)
    return open_pipeline(None if named == DEFAULT_CONFIG else named, checked_overrides(overrides), Path(runs))


def _bring_up(
    context: Context,
    stage: str,
    *,
    progress: bool,
    force: bool = False,
    resume: bool = False,
    then: Then | None = None,
) -> None:
    options = stage_options(stage, force=force, resume=resume)
    with system_errors_told():
        result = advance(context, options, progress=progress, then=then)
    finish_stage(context, stage, result)
