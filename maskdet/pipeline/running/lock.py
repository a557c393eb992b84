"""One writer at a time in a results folder; the system releases the lock when its holder dies."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from maskdet.errors import FolderInUse
from maskdet.pipeline.running.cache import RECORDS
from maskdet.system.asides import sweep


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold runs/<name> for this process. Raises FolderInUse with the process that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    # The owner is recorded beside the lock file, which contenders may truncate. It is for people only:
    # containers that share the folder may have the same process ids, and the lock itself works between them.
    owner = folder / ".lock.pid"
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise FolderInUse(
            f"{folder} is in use by process {_read(owner)}",
            "wait for it, stop it, or give this run another name",
        ) from error
    try:
        owner.write_text(f"{os.getpid()} on {platform.node()}", encoding="utf-8")
        sweep(folder)
        sweep(folder / RECORDS)
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _read(owner: Path) -> str:
    try:
        return owner.read_text(encoding="utf-8")
    except OSError:
        return "(unknown)"
