"""`maskdet stop`: end a running server, gracefully."""

from __future__ import annotations

from maskdet.cli.options import Config, Overrides, Port, Runs
from maskdet.cli.session import port_of
from maskdet.pipeline.places import RUNS


def stop(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    port: Port = None,
) -> None:
    """Let a running server answer what it accepted, and end it."""
    from maskdet.cli.console import print_lines
    from maskdet.serving.process import control

    record = control.stop(port_of(config, overrides, runs, port))
    print_lines([f"stopped {record.url} (process {record.pid})"])
