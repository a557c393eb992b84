"""An interpreter for `train.python` with a limit of the operating system: KIND MB -m MODULE ARGUMENTS.

KIND data: memory beyond what a worker has after its imports; fsize: the size that a file may grow to.
"""

from __future__ import annotations

import resource
import runpy
import sys
from pathlib import Path

import maskdet.training.worker.loop  # noqa: F401 - so that only the work itself is limited

kind, megabytes, _, module, *arguments = sys.argv[1:]
allowed = int(megabytes) * 2**20
if kind == "data":
    status = Path("/proc/self/status").read_text()
    allowed += int(status.split("VmData:")[1].split()[0]) * 1024
number = {"data": resource.RLIMIT_DATA, "fsize": resource.RLIMIT_FSIZE}[kind]
resource.setrlimit(number, (allowed, allowed))
sys.argv = [module, *arguments]
runpy.run_module(module, run_name="__main__", alter_sys=True)
