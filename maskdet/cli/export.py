"""`maskdet export`: Paddle's inference format, the ONNX bundle, and the check that they agree."""

from __future__ import annotations

from typing import Annotated

import typer

from maskdet.cli.options import Config, Force, Overrides, Runs
from maskdet.cli.session import open_pipeline, run_stage, with_flags
from maskdet.pipeline.places import RUNS


def export(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    onnx: Annotated[
        bool | None,
        typer.Option("--onnx/--no-onnx", help="Write the ONNX bundle. Sets export.onnx.", show_default=False),
    ] = None,
    nms: Annotated[
        str | None,
        typer.Option(
            "--nms", metavar="WHERE", help="outside, or in-graph for an additional ONNX. Sets export.nms."
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Export the best checkpoint to Paddle and ONNX files.

    Runs each export and compares it with the checkpoint; fails if they differ by more than the tolerance.
    """
    chosen = with_flags(overrides, {"export.onnx": onnx, "export.nms": nms})
    run_stage(open_pipeline(config, chosen, runs), "export", force=force)
