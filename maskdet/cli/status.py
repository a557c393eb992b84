"""`maskdet status`: the state of a running server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maskdet.cli.options import Config, Overrides, Port, Runs
from maskdet.cli.session import port_of
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from maskdet.serving.process.control import ServerStatus


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

    found = control.status(port_of(config, overrides, runs, port))
    print_lines(_line(one) for one in found if one.ready)
    if waiting := [one for one in found if not one.ready]:
        said = (f"{one.record.url} (process {one.record.pid}) is not ready: {one.reason}" for one in waiting)
        raise ServingError("; ".join(said), "try again in a moment")


def _line(found: ServerStatus) -> str:
    from maskdet.system.times import duration

    workers = f"{found.workers} worker{'s' if found.workers > 1 else ''}"
    return (
        f"ready at {found.record.url}: process {found.record.pid}, {workers}, "
        f"{found.memory_bytes / 1e6:.0f} MB, up for {duration(found.up_seconds)}"
    )
