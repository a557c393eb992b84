"""`maskdet data diff`: what changed from one prepared data set to another."""

from __future__ import annotations

from typing import Annotated

import typer

from maskdet.cli.options import Runs
from maskdet.pipeline.places import RUNS

_NAMED = "A run's name, a results folder or a manifest.json."


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=_NAMED)],
    after: Annotated[str, typer.Argument(metavar="B", help=_NAMED)],
    runs: Runs = RUNS,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every picture.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if they differ.")] = False,
) -> None:
    """Show what changed from one prepared data set to another.

    Pictures added, removed, moved between train and val, relabelled and renamed; objects by class, face
    widths, brightness, collections, aliases and roles.
    """
    from maskdet.cli.console import print_lines
    from maskdet.dataset.difference import compare
    from maskdet.dataset.manifest import load_manifest
    from maskdet.dataset.report.difference import difference_text
    from maskdet.pipeline.references.manifests import find_manifest
    from maskdet.system.files import json_text

    found = compare(*(load_manifest(find_manifest(named, runs)) for named in (before, after)))
    print_lines((json_text(found.to_json()) if as_json else difference_text(found)).splitlines())
    if exit_code and not found.same:
        raise typer.Exit(1)
