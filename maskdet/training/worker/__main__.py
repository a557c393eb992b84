"""The process that runs Paddle: `python -m maskdet.training.worker JOB.json`.

It reads one job, calls `run(job, report)` of the module that the job names, appends JSON lines to the job's
events file, and ends when its parent does.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import psutil

from maskdet.errors import EnvironmentProblem, MaskdetError, TrainingError
from maskdet.training.launch.cluster import LOST_PEER, RESUME_HINT, spans_machines
from maskdet.training.launch.failures import OutOfMemory, lacks_memory, lost_peer
from maskdet.training.launch.process import still_runs

_FROM_ANY = ("error", "warning")
_INSTALL_HINT = '`pip install --no-deps -r "$(maskdet doctor --lock)"` installs what training needs'


class Reporter:
    """Appends events to the channel; of a machine's workers only the first reports, but all report errors."""

    def __init__(self, path: Path, rank: int) -> None:
        self._path, self._rank = path, rank

    def __call__(self, event: str, **fields: Any) -> None:
        if self._rank == 0 or event in _FROM_ANY:
            line = json.dumps({"event": event, **fields}, ensure_ascii=False, allow_nan=False) + "\n"
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(line)


def main(job_file: str) -> int:
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    report = Reporter(Path(job["events"]), rank=int(os.environ.get("PADDLE_LOCAL_RANK", "0")))
    _end_with(job["parent"])
    try:
        importlib.import_module(job["module"]).run(job, report)
    except Exception as error:  # noqa: BLE001 - the edge of the process: Paddle may raise anything
        ours = _as_ours(error)
        report("error", kind=type(ours).__name__, what=ours.what, hint=ours.hint)
        return ours.exit_code
    return 0


def _as_ours(error: Exception) -> MaskdetError:
    if isinstance(error, MaskdetError):
        return error
    traceback.print_exc()
    if lacks_memory(error):
        return OutOfMemory("out of memory")
    if spans_machines() and lost_peer(error):
        return TrainingError(LOST_PEER, RESUME_HINT)
    if isinstance(error, ModuleNotFoundError):
        return EnvironmentProblem(f"{error.name} is not installed for {sys.executable}", _INSTALL_HINT)
    # Paddle's messages span pages, with the point at the end.
    return MaskdetError(f"{type(error).__name__}: {' '.join(str(error).split())[-300:]}")


def _end_with(parent: dict[str, Any]) -> None:
    """End when the parent or the launcher does: if killed, neither ends its workers."""
    above = os.getppid()

    def watch() -> None:
        while still_runs(parent) and os.getppid() == above:
            time.sleep(0.5)
        for child in psutil.Process().children(recursive=True):
            child.kill()
        os._exit(143)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


if __name__ == "__main__":
    code = main(sys.argv[1])
    sys.stdout.flush()
    # Paddle's own teardown can crash after all work is done, turning success into failure.
    os._exit(code)
