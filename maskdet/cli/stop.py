"""`maskdet stop`: shut a running server down gracefully."""

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
    """Let a running server finish its accepted requests, then stop it.

    Windows cannot ask a process to end: there, requests in progress are cut off.
    """
    from maskdet.cli.console import print_lines
    from maskdet.serving.process import control

    records = control.stop(port_of(config, overrides, runs, port))
    how = "" if control.drains() else ", cutting off requests in progress: Windows cannot ask it to end"
    print_lines(f"stopped {record.url} (process {record.pid}){how}" for record in records)
