"""`maskdet prepare`: check and split the VOC folder."""

from __future__ import annotations

from typing import Annotated

import typer

from maskdet.cli.options import Config, Force, Overrides, Runs
from maskdet.cli.session import open_pipeline, run_stage, with_flags
from maskdet.pipeline.places import RUNS


def prepare(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Drop bad items and list them.")] = False,
    force: Force = False,
) -> None:
    """Check the VOC folder and split it into train and val.

    Writes lists, manifest, report and plots. Stops on errors, without writing anything.
    """
    chosen = with_flags(overrides, {"data.skip_bad": skip_bad or None})
    run_stage(open_pipeline(config, chosen, runs), "prepare", force=force)
