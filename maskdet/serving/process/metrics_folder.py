"""The folder in which the workers of a server share their metrics."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from maskdet.system.machine import pid_space

PREFIX: Final = "maskdet-metrics-"


@contextmanager
def metrics_folder() -> Iterator[Path]:
    """An empty one, removed at the end. Those of supervisors that were killed are removed first."""
    sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{pid_space()}-{os.getpid()}-") as folder:
        yield Path(folder)


def sweep(parent: Path) -> None:
    """Only what belongs to processes that this one could see; a reused process id counts as alive."""
    start = f"{PREFIX}{pid_space()}-"
    for path in parent.glob(f"{start}*"):
        pid = path.name.removeprefix(start).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(path, ignore_errors=True)
