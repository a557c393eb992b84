"""Waiting for what servers and other processes do in their own time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import psutil

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""Far longer than anything takes, also on a slow machine."""


def until(found: Callable[[], T], seconds: float = PATIENCE_SECONDS, what: str = "nothing happened") -> T:
    """What `found` returns once that is true; the test fails with `what` if it is not within `seconds`."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, what
        time.sleep(0.02)
    return value


def left_of(processes: Sequence[psutil.Process], seconds: float = 10) -> list[psutil.Process]:
    """Those that still run after `seconds`; entries that nobody has collected yet do not run."""
    end = time.monotonic() + seconds
    while (left := [process for process in processes if _runs(process)]) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
