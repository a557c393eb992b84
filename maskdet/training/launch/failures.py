"""Failures of a worker that have a remedy, and the signs by which they are known."""

from __future__ import annotations

from pathlib import Path

from maskdet.errors import TrainingError

_MEMORY_SIGNS = (
    "ResourceExhausted",
    "bad_alloc",
    "Cannot allocate memory",
    "Insufficient memory",
    "can't start new thread",
)
"""Of Paddle, the C++ library, the operating system, OpenCV and Python."""
_VMSTAT = Path("/proc/vmstat")


class OutOfMemory(TrainingError):
    """Memory did not suffice for a step."""


class Diverged(TrainingError):
    """The loss or the weights are no numbers any more."""


class DiskFull(TrainingError):
    """The disk has no room for what is to be written. Not gone on from, but told apart from other ends."""


REPORTED: dict[str, type[TrainingError]] = {kind.__name__: kind for kind in (OutOfMemory, Diverged, DiskFull)}
"""By the name under which a worker reports them."""


def lacks_memory(error: str | BaseException) -> bool:
    """True when an exception, or the end of a log, tells of memory that could not be had."""
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in _MEMORY_SIGNS)


def kills_for_memory(vmstat: Path = _VMSTAT) -> int:
    """Processes that the kernel has ended for want of memory since it started; 0 where it does not tell.

    Read before and after, this tells the kernel's SIGKILL from a person's.
    """
    try:
        lines = vmstat.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
