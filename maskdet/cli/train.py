"""`maskdet train`: train with PaddleDetection in a worker process."""

from __future__ import annotations

from typing import Annotated

import typer

from maskdet.cli.options import Config, Force, Overrides, Runs
from maskdet.cli.session import open_pipeline, run_stage, with_flags
from maskdet.pipeline.places import RUNS


def train(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an unfinished training.")] = False,
    device: Annotated[
        str | None,
        typer.Option(
            "--device", metavar="DEVICE", help="auto, cpu, gpu, gpu:all or gpu:0,1. Sets train.device."
        ),
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option("--workers", metavar="N", help="Processes on CPU, or auto. Sets train.workers."),
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option("--nodes", metavar="N", min=1, help="Machines that train together. Sets train.nodes."),
    ] = None,
    master: Annotated[
        str | None,
        typer.Option(
            "--master", metavar="HOST:PORT", help="Address of the machine with rank 0. Sets train.master."
        ),
    ] = None,
    preflight: Annotated[
        bool | None,
        typer.Option(
            "--preflight/--no-preflight",
            help="Rehearse two steps, evaluation and export first. Sets train.preflight.",
            show_default="before long training runs",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Train with PaddleDetection.

    Ctrl-C stops it; --resume continues from the last finished epoch and keeps the best score.
    """
    flags: dict[str, object] = {
        "train.device": device,
        "train.workers": workers,
        "train.nodes": nodes,
        "train.master": master,
        "train.preflight": preflight,
    }
    chosen = with_flags(overrides, flags)
    run_stage(open_pipeline(config, chosen, runs), "train", force=force, resume=resume)
