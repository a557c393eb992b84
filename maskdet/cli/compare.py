"""`maskdet compare`: runs or models side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import SHIPPED, Runs
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from maskdet.reporting.comparison import Comparison


def compare(
    named: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help=f"Names or folders of runs, .onnx files, models:NAME@ALIAS, or {SHIPPED}.",
        ),
    ],
    runs: Runs = RUNS,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a page.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Compare the figures of two or more runs, and show the settings that differ.

    A star marks the best value. Intervals and counts are shown where they are known.
    """
    from maskdet.cli.console import print_lines
    from maskdet.pipeline.references.contenders import read_contenders
    from maskdet.reporting.comparison import Comparison, comparison_page
    from maskdet.system.files import json_text, write_text

    comparison = Comparison(read_contenders(named, runs))
    if html is not None:
        write_text(html, comparison_page(comparison))
    if as_json:
        print_lines([json_text(comparison.to_json()).rstrip()])
        return
    _show(comparison)
    if html is not None:
        print_lines(["", f"page: {html}"])


def _show(comparison: Comparison) -> None:
    from maskdet.cli.console import print_lines, print_notes, print_table
    from maskdet.reporting.comparison import figure_rows, setting_rows

    names = [each.name for each in comparison.contenders]
    print_table(["", *names], figure_rows(comparison))
    print_lines([""])
    if comparison.differing():
        print_table(["setting", *names], setting_rows(comparison))
    else:
        print_lines(["all settings are the same"])
    if not comparison.same_val:
        print_notes(["the runs were not evaluated on the same val pictures: do not compare their figures"])
