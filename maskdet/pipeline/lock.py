"""One run at a time in a results folder; the system frees the lock when its holder dies."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from maskdet.errors import StageError

_ASIDE = re.compile(r"\.\d+-")


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold runs/<name> for this process. Raises StageError that names the process which holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    # The number is kept beside the lock file, which every contender truncates.
    owner = folder / ".lock.pid"
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise StageError(
            f"{folder} is in use by process {_read(owner)}",
            "wait for it, stop it, or give this run another name",
        ) from error
    try:
        owner.write_text(str(os.getpid()), encoding="ascii")
        _sweep(folder)
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _read(owner: Path) -> str:
    try:
        return owner.read_text(encoding="ascii")
    except OSError:
        return "(unknown)"


def _sweep(folder: Path) -> None:
    # What a killed run had written aside is nobody's: this process holds the lock.
    for path in folder.iterdir():
        if _ASIDE.match(path.name) and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
