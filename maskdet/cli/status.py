"""`maskdet status`: the state of a running server."""

from __future__ import annotations

from maskdet.cli.options import Config, Overrides, Port, Runs
from maskdet.cli.session import port_of
from maskdet.pipeline.places import RUNS


def status(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    port: Port = None,
) -> None:
    """Show whether a server is running and ready.

    Fails if none is running, or if it is not ready.
    """
    from maskdet.cli.console import print_lines
    from maskdet.errors import ServingError
    from maskdet.serving.process import control
    from maskdet.system.times import duration

    found = control.status(port_of(config, overrides, runs, port))
    record = found.record
    if not found.ready:
        raise ServingError(
            f"{record.url} (process {record.pid}) is not ready: {found.reason}", "try again in a moment"
        )
    workers = f"{found.workers} worker{'s' if found.workers > 1 else ''}"
    up = duration(found.up_seconds)
    print_lines(
        [
            f"ready at {record.url}: process {record.pid}, {workers}, "
            f"{found.memory_bytes / 1e6:.0f} MB, up for {up}"
        ]
    )
