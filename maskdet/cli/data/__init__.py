"""`maskdet data ...`: work on labelled sets, one module a verb."""

from __future__ import annotations

import typer

from maskdet.cli.data.audit import audit
from maskdet.cli.data.convert import convert
from maskdet.cli.data.diff import diff
from maskdet.cli.data.forget import forget

data = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Work on labelled sets.")
data.command("audit")(audit)
data.command("convert")(convert)
data.command("diff")(diff)
data.command("forget")(forget)
