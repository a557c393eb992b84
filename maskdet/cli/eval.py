"""`maskdet eval`: judge the best checkpoint, or any model, on the val part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskdet.cli.options import RUNS, Config, Force, Overrides, Runs
from maskdet.cli.session import Session, open_session, run_stage


def evaluate(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="FILE",
            help="Any .onnx or .pdparams instead.",
            show_default="train/best.pdparams",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Judge a model on val: AP per class, precision and recall at the thresholds, confusion, curves."""
    session = open_session(config, overrides or [], runs)
    if model is None:
        run_stage(session, "eval", force=force)
        folder = session.context.path("eval")
    else:
        folder = _evaluate_file(session, model)

    from maskdet.cli.console import print_lines

    print_lines(["", *(folder / "report.md").read_text(encoding="utf-8").splitlines()[2:]])


def _evaluate_file(session: Session, model: Path) -> Path:
    """Judge a model that is no stage's; the result goes to eval-<its name> beside the stages."""
    from dataclasses import replace

    from maskdet.cli.console import standard_output
    from maskdet.cli.progress import Display
    from maskdet.files import staged_folder
    from maskdet.pipeline.stages.eval import evaluate_model, write_evaluation

    run_stage(session, "config", table=False)
    target = session.context.folder / f"eval-{model.stem}"
    with Display(standard_output()) as display, staged_folder(target) as out:
        write_evaluation(evaluate_model(replace(session.context, track=display.track), model), out)
    return target
