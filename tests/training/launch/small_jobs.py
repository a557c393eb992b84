"""Jobs for a real worker that need no Paddle: `run` does what the job's "do" says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from maskdet.errors import TrainingError


def run(job: dict[str, Any], report: Callable[..., None]) -> None:
    """Job keys: do, and what it needs."""
    globals()[job["do"]](job, report)


def count(job: dict[str, Any], report: Callable[..., None]) -> None:
    for number in range(job["total"]):
        report("progress", number=number, text="口罩\n")
    names = {
        "threads": "OMP_NUM_THREADS",
        "devices": "CUDA_VISIBLE_DEVICES",
        "selected": "FLAGS_selected_gpus",
    }
    report("done", **{name: os.environ.get(variable) for name, variable in names.items()})


def refuse(job: dict[str, Any], report: Callable[..., None]) -> None:
    raise TrainingError("the loss is not a number", "lower it")


def fail(job: dict[str, Any], report: Callable[..., None]) -> None:
    raise ValueError("a message\n   over lines " + "x" * 1000 + " with its point at the end")


def exhaust(job: dict[str, Any], report: Callable[..., None]) -> None:
    raise MemoryError


def die(job: dict[str, Any], report: Callable[..., None]) -> None:
    sys.stderr.write("last words\n")
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(job: dict[str, Any], report: Callable[..., None]) -> None:
    sys.stderr.write("gone\n")
    os._exit(3)


def say_nothing(job: dict[str, Any], report: Callable[..., None]) -> None:
    report("progress")


def sleep(job: dict[str, Any], report: Callable[..., None]) -> None:
    """With a child process that outlives a polite request, as data loaders do."""
    if job.get("stubborn"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    report("asleep", pids=[os.getpid(), child.pid])
    time.sleep(300)
