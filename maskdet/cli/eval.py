"""`maskdet eval`: judge the best checkpoint, or any model, on the val part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import RUNS, Config, Force, Overrides, Runs
from maskdet.cli.session import model_file, open_pipeline, run_stage

if TYPE_CHECKING:
    from maskdet.pipeline.stage import Context


def evaluate(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="FILE",
            help="Any .onnx or .pdparams instead, or default, the shipped one.",
            show_default="train/best.pdparams",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Judge the best checkpoint, or any model, on val.

    AP per class, precision and recall at the thresholds, confusion, curves.
    """
    context = open_pipeline(config, overrides or [], runs)
    if model is None:
        run_stage(context, "eval", force=force)
        folder = context.path("eval")
    else:
        folder = _evaluate_file(context, model_file(model))

    from maskdet.cli.console import print_lines

    print_lines(["", *(folder / "report.md").read_text(encoding="utf-8").splitlines()[2:]])


def _evaluate_file(context: Context, model: Path) -> Path:
    """Judge a model that is no stage's; the result goes to eval-<its name> beside the stages."""
    from dataclasses import replace

    from maskdet.cli.console import standard_output
    from maskdet.cli.progress import Display
    from maskdet.files import staged_folder
    from maskdet.pipeline.stages.eval import evaluate_model, write_evaluation

    run_stage(context, "config", table=False)
    target = context.folder / f"eval-{model.stem}"
    with Display(standard_output()) as display, staged_folder(target) as out:
        write_evaluation(evaluate_model(replace(context, track=display.track), model), out)
    return target
