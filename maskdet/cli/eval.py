"""`maskdet eval`: judge the best checkpoint, or any model, on the val part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import RUNS, Config, Flip, Force, Overrides, Runs, Tile
from maskdet.cli.session import model_file, model_of, open_pipeline, run_stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from maskdet.detector.tiling import Look
    from maskdet.pipeline.outcome import RunResult
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
    tile: Tile = False,
    flip: Flip = False,
    force: Force = False,
) -> None:
    """Judge the best checkpoint, or any model, on val.

    AP with intervals, safety figures, slices, plots, and the worst mistakes drawn. With --tile or --flip, the
    exported model, and what they gain and cost.
    """
    context = open_pipeline(config, overrides or [], runs)
    if tile or flip:
        from maskdet.detector.tiling import Look

        folder = _evaluate_look(context, model_of(context, model), Look(tile, flip))
    elif model is None:
        run_stage(context, "eval", force=force)
        folder = context.path("eval")
    else:
        folder = _evaluate_file(context, model_file(model))

    from maskdet.cli.console import print_lines

    print_lines(["", *(folder / "report.md").read_text(encoding="utf-8").splitlines()[2:]])


def _evaluate_file(context: Context, model: Path) -> Path:
    """Judge a model that is no stage's; the result goes to eval-<its name> beside the stages."""
    from maskdet.pipeline.stages.eval import evaluate_model, write_evaluation

    def write(seen: Context, out: Path) -> None:
        write_evaluation(evaluate_model(seen, model), context.pipeline.data.root, out)

    return _write_beside(context, f"eval-{model.stem}", write)


def _evaluate_look(context: Context, model: Path, look: Look) -> Path:
    """Judge a model with the plain look and another; the result goes to eval-<its name>-<the look's>."""
    from maskdet.detector.tiling import PLAIN
    from maskdet.pipeline.stages.eval import evaluate_looks, write_looks

    def write(seen: Context, out: Path) -> None:
        write_looks(evaluate_looks(seen, model, [PLAIN, look]), context.pipeline.data.root, out)

    return _write_beside(context, f"eval-{model.stem}-{look.name}", write)


def _write_beside(context: Context, name: str, write: Callable[[Context, Path], None]) -> Path:
    """Fill a folder beside the stages' while the results folder is locked, as for a stage."""
    from maskdet.files import staged_folder

    target = context.folder / name

    def judge(seen: Context, result: RunResult) -> None:
        if result.error is None:
            with staged_folder(target) as out:
                write(seen, out)

    run_stage(context, "config", table=False, then=judge)
    return target
