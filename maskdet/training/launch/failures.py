"""Worker failures that have a remedy, and how to recognise them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskdet.errors import EnvironmentProblem, MaskdetError, TrainingError

_MEMORY_SIGNS = (
    "ResourceExhausted",
    "bad_alloc",
    "Cannot allocate memory",
    "cudaErrorMemoryAllocation",
    "CUDA error(2)",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "Insufficient memory",
    "can't start new thread",
)
"""Messages of Paddle, CUDA and its libraries, the C++ library, the operating system, OpenCV and Python."""
_PEER_SIGNS = ("gloo/transport", "gloo/rendezvous", "tcp_store", "TCPStore", "ncclRemoteError")
"""Messages of Paddle's ways to reach the workers of other machines."""
_VMSTAT = Path("/proc/vmstat")


class OutOfMemory(TrainingError):
    """There was not enough memory for a step."""


class Diverged(TrainingError):
    """The loss or the weights became NaN or infinite."""


class DiskFull(TrainingError):
    """The disk has no room for a file. Not recovered from, but distinct from other failures."""


MORE_MEMORY = "free memory, or use a machine with more of it"
"""What helps a worker whose need of memory no setting lowers."""
REPORTED: dict[str, type[MaskdetError]] = {
    kind.__name__: kind for kind in (OutOfMemory, Diverged, DiskFull, EnvironmentProblem)
}
"""By the name that a worker reports."""


@contextmanager
def relieved_by(relief: str) -> Iterator[None]:
    """Let a lack of memory within say what helps."""
    try:
        yield
    except OutOfMemory as error:
        error.hint = f"{relief}; {error.hint}" if error.hint else relief
        raise


def lacks_memory(error: str | BaseException) -> bool:
    """True if an exception, or the end of a log, reports a failed memory allocation."""
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in _MEMORY_SIGNS)


def lost_peer(error: str | BaseException) -> bool:
    """True if an exception says that a worker of another machine does not answer."""
    return any(sign in str(error) for sign in _PEER_SIGNS)


def kills_for_memory(vmstat: Path = _VMSTAT) -> int:
    """Processes killed by the kernel for lack of memory since it started; 0 if it does not report them.

    Read before and after, this tells the kernel's SIGKILL from a user's.
    """
    try:
        lines = vmstat.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
