"""`maskdet data`: commands about data sets."""

from __future__ import annotations

import typer

from maskdet.cli.data.diff import diff

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Compare data sets.")
app.command("diff")(diff)


@app.callback()
def data() -> None:
    """Compare data sets."""
