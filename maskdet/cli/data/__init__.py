"""`maskdet data ...`: work on labelled sets, one module a verb."""

from __future__ import annotations

import typer

from maskdet.cli.data.convert import convert

data = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Work on labelled sets.")
data.command("convert")(convert)
