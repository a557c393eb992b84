"""Cores, memory and disk within the limits of this process's container; and which container that is."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

import psutil

from maskdet.system.cgroup import ROOT, cpu_quota, memory_grants

BOOT_ID: Final = "sys/kernel/random/boot_id"
"""In /proc: differs after each start of the machine."""


def core_count(root: Path = ROOT) -> int:
    """Cores that this process may use, at least 1, by its affinity and the quota of its control groups.

    A quota of 1.5 cores counts as 2. One thread would always leave a third of it idle; two are
    throttled only while both compute.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota(root)
    return usable if quota is None else max(1, min(usable, math.ceil(quota)))


def thread_clock() -> Callable[[], float]:
    """A clock in seconds of this thread's own computing, so that other threads and programs do not count.

    Windows counts that in steps of 15.6 ms, longer than a detection takes: there it is the time that passes.
    """
    return time.perf_counter if sys.platform == "win32" else time.thread_time


def memory_total(root: Path = ROOT) -> int:
    """Bytes in the machine, or what the tightest control group allows."""
    return min([psutil.virtual_memory().total, *(grant.limit for grant in memory_grants(root))])


def memory_available(root: Path = ROOT) -> int:
    """Bytes available without swapping, in the machine and in every control group."""
    return min([psutil.virtual_memory().available, *(grant.left for grant in memory_grants(root))])


def disk_free(folder: Path) -> int:
    """Bytes free for this user where `folder` is, or will be. Raises OSError if that cannot be determined."""
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(place).free


@cache
def pid_space(root: Path = ROOT) -> str:
    """Identifies the set of processes within which a pid is unique: this container since this boot.

    Containers that share a folder may all run as process 1, under the same host name.
    """
    parts = [platform.node()]
    with suppress(OSError):
        parts.append((root / "proc" / BOOT_ID).read_text(encoding="ascii"))
        parts.append(str((root / "proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
