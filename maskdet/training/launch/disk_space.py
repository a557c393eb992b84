"""Disk space: checked before a file is written, and reported in bytes when it runs out."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskdet.system.machine import disk_free
from maskdet.training.launch.failures import DiskFull

_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "files are not allowed to be that large",
}


_RESUME = "continue with --resume"


@contextmanager
def space_for(folder: Path, needed: int, then: str = _RESUME) -> Iterator[None]:
    """Write about `needed` bytes into `folder` within the block; then: what to do once there is space.

    Raises DiskFull with the folder, the bytes needed and the bytes free, before or instead of the error of a
    write that failed for lack of space.
    """
    if disk_free(folder) < needed:
        raise _disk_full(folder, needed, _FULL[errno.ENOSPC], then)
    try:
        yield
    except DiskFull:
        raise
    except Exception as error:
        if (why := why_full(error)) is None and disk_free(folder) >= needed:
            raise
        raise _disk_full(folder, needed, why or _FULL[errno.ENOSPC], then) from error


def why_full(error: BaseException) -> str | None:
    """How the disk is full, if that is what an error means."""
    number = getattr(error, "errno", None)
    if number in _FULL:
        return _FULL[number]
    # safetensors writes in Rust and passes the operating system's error number on as text only.
    return next((why for code, why in _FULL.items() if f"(os error {code})" in str(error)), None)


def _disk_full(folder: Path, needed: int, why: str, then: str) -> DiskFull:
    return DiskFull(
        f"cannot write to {folder}: {why}; {_size(needed)} are needed, {_size(disk_free(folder))} are free",
        f"free some space and {then}; earlier files are intact",
    )


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MB ({count:,} bytes)"
