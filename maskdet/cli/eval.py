"""`maskdet eval`: evaluate the best checkpoint, or any model, on the val split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.artefacts import REPORT
from maskdet.cli.options import Config, Flip, Force, Overrides, RegistryFolder, Runs, Tile
from maskdet.cli.session import open_pipeline, run_stage, with_flags
from maskdet.pipeline.places import RUNS

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
            help="Evaluate this .onnx or .pdparams instead, models:NAME@ALIAS, or default, the shipped one.",
            show_default="train/best.pdparams",
        ),
    ] = None,
    registry: RegistryFolder = None,
    tile: Tile = False,
    flip: Flip = False,
    force: Force = False,
) -> None:
    """Evaluate the best checkpoint, or any model, on val.

    Reports AP with intervals, what each threshold policy costs, safety figures, slices, plots, and drawings
    of the worst mistakes. --tile and --flip use the exported model and show what they gain and cost.
    """
    context = open_pipeline(config, with_flags(overrides, {"registry.root": registry}), runs)
    if model is None and not (tile or flip):
        run_stage(context, "eval", force=force)
        folder = context.path("eval")
    else:
        folder = _judge(context, model, tile, flip)

    from maskdet.cli.console import print_lines

    print_lines(["", *(folder / REPORT).read_text(encoding="utf-8").splitlines()[2:]])


def _judge(context: Context, model: Path | None, tile: bool, flip: bool) -> Path:
    """Evaluate a model that no stage wrote, or another look; the results' folder lies beside the stages'."""
    from maskdet.detector.tiling import Look
    from maskdet.pipeline.models import model_file, model_of, registry_of
    from maskdet.pipeline.stages.eval import Judgement

    if model is None or tile or flip:
        file = model_of(context, model)
    else:
        file = model_file(model, registry_of(context))
    judge = Judgement(file, Look(tile, flip))
    run_stage(context, "config", table=False, then=judge)
    return judge.folder
