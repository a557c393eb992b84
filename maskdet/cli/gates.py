"""`maskdet gates`: may the challenger take the champion's place?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import Config, Overrides, Runs
from maskdet.cli.session import open_pipeline
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from maskdet.gates.report import GateReport


def gates(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    challenger: Annotated[
        Path | None,
        typer.Option(
            "--challenger", metavar="MODEL", help="The model to judge.", show_default="export/model.onnx"
        ),
    ] = None,
    champion: Annotated[
        Path | None,
        typer.Option(
            "--champion",
            metavar="MODEL",
            help="The model to beat: models:NAME@ALIAS, a file, default, or none.",
            show_default="gates.champion",
        ),
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option("--explain", metavar="DIR", help="Draw the most decisive pictures into this folder."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Judge a model by the gates of the pipeline file, against the champion.

    Prints each rule with its value, interval, count and verdict. Exits with 11 if one refuses the model or
    cannot be measured. The report is in runs/NAME/gates.
    """
    from maskdet.api.work import advance
    from maskdet.pipeline.chain import finish_stage, stage_options
    from maskdet.pipeline.release.gating import Gating

    context = open_pipeline(config, overrides or [], runs)
    gating, stage = Gating(challenger, champion, explain), "prepare" if challenger else "export"
    result = advance(context, stage_options(stage), progress=not as_json, then=gating)
    finish_stage(context, stage, result)
    if gating.report is not None:
        _show(gating.report, as_json)
        gating.report.require()


def _show(report: GateReport, as_json: bool) -> None:
    from maskdet.cli.console import print_lines, print_notes, print_table
    from maskdet.gates.markdown import HEADINGS, conclusion, gate_rows
    from maskdet.system.files import json_text

    if as_json:
        print_lines(json_text(report.to_json()).splitlines())
        return
    print_table(HEADINGS, gate_rows(report))
    print_lines(["", conclusion(report)])
    print_notes(report.notes)
