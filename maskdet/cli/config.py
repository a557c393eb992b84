"""`maskdet config`: write the PaddleDetection configuration, or explain where a value comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from maskdet.cli.options import Config, Force, Overrides, Runs
from maskdet.cli.session import open_pipeline, run_stage
from maskdet.pipeline.places import RUNS


def config(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain", metavar="KEY", help="Show where a value comes from, such as LearningRate.base_lr."
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Write the PaddleDetection configuration, or explain it.

    A single self-contained file, derived from the pipeline file and the data.
    """
    context = open_pipeline(config, overrides or [], runs)
    run_stage(context, "config", force=force, table=explain is None)
    if explain is not None:
        from maskdet.cli.console import print_lines
        from maskdet.training.recipe.recipe import load_recipe

        print_lines(load_recipe(context.path("config")).explain(explain).splitlines())
