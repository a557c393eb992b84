"""When a process started, told so that no change of the clock moves it: with its pid, which process it is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

from maskdet.system.cgroup import ROOT
from maskdet.system.machine import BOOT_ID

_START_TIME: Final = 22 - 3
"""Index of starttime, field 22 of proc_pid_stat(5), among the fields after the command's name, field 2."""


def process_start(pid: int, root: Path = ROOT) -> str:
    """Clock ticks since which boot; where there is no /proc, seconds since 1970.

    psutil's `create_time` adds the moment of the boot, which Linux computes from the clock at each reading:
    it changes whenever the clock is set. Raises psutil.NoSuchProcess.
    """
    proc = root / "proc"
    try:
        boot = (proc / BOOT_ID).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return str(psutil.Process(pid).create_time())
    try:
        stat = (proc / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None
    # The name may hold blanks and parentheses; the fields after it are numbers and one letter.
    return f"{boot} {stat.rpartition(b')')[2].split()[_START_TIME].decode('ascii')}"
