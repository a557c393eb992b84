"""`maskdet report`: a run on one HTML page."""

from __future__ import annotations

from maskdet.cli.options import Config, Overrides, Runs
from maskdet.cli.session import open_pipeline
from maskdet.pipeline.places import RUNS


def report(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
) -> None:
    """Write report.html in the results folder, for a run as far as it got.

    `maskdet run` writes it at its end.
    """
    from maskdet.cli.console import print_lines, shown
    from maskdet.pipeline.run_files import write_run_page

    page = write_run_page(open_pipeline(config, overrides or [], runs))
    print_lines([f"report: {shown(page)}"])
