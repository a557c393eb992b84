"""`maskdet eval`: evaluate the best checkpoint, or any model, on the val split."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.artefacts import REPORT
from maskdet.cli.options import SHIPPED, Config, Flip, Force, Overrides, RegistryFolder, Runs, Tile
from maskdet.cli.session import open_pipeline, run_stage, with_flags
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from maskdet.pipeline.running.stage import Context

ALL_PICTURES = sys.maxsize


def evaluate(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="FILE",
            help=f"Evaluate this .onnx or .pdparams instead, models:NAME@ALIAS, or {SHIPPED}.",
            show_default="train/best.pdparams",
        ),
    ] = None,
    registry: RegistryFolder = None,
    tile: Tile = False,
    flip: Flip = False,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness",
            help="Also measure on val pictures blurred, darkened, turned or covered (minutes).",
        ),
    ] = False,
    robustness_pictures: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Corrupt only N pictures of val, always the same ones.",
            show_default="all",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Evaluate the best checkpoint, or any model, on val.

    Reports AP with intervals, what each threshold policy costs, safety figures, slices, plots, and drawings
    of the worst mistakes. --tile and --flip use the exported model and show what they gain and cost;
    --robustness uses it too, on 12 kinds of poor pictures.
    """
    context = open_pipeline(config, with_flags(overrides, {"registry.root": registry}), runs)
    corrupted = (robustness_pictures or ALL_PICTURES) if robustness or robustness_pictures else 0
    if model is None and not (tile or flip or corrupted):
        run_stage(context, "eval", force=force)
        folder = context.path("eval")
    else:
        folder = _judge(context, model, tile, flip, corrupted)

    from maskdet.cli.console import print_lines

    print_lines(["", *(folder / REPORT).read_text(encoding="utf-8").splitlines()[2:]])


def _judge(context: Context, model: Path | None, tile: bool, flip: bool, corrupted: int) -> Path:
    """Evaluate a model that no stage wrote, or another look; the results' folder lies beside the stages'."""
    from maskdet.detector.tiling import Look
    from maskdet.errors import UsageError
    from maskdet.pipeline.references.models import model_of
    from maskdet.pipeline.stages.eval import Judgement

    if corrupted and (tile or flip):
        raise UsageError("--robustness measures the plain look", "leave --tile and --flip out, or run both")
    judge = Judgement(model_of(context, model), Look(tile, flip), corrupted)
    run_stage(context, judge.after, table=False, then=judge)
    return judge.folder
