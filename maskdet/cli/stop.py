"""`maskdet stop`: end a running server, gracefully."""

from __future__ import annotations

from typing import Annotated

import typer

from maskdet.cli.options import RUNS, Config, Overrides, Runs
from maskdet.cli.session import port_of


def stop(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help="The server's port.", show_default="serve.port"),
    ] = None,
) -> None:
    """Let a running server answer what it accepted, and end it."""
    from maskdet.cli.console import print_lines
    from maskdet.serving import control

    record = control.stop(port_of(config, overrides, runs, port))
    print_lines([f"stopped {record.url} (process {record.pid})"])
