"""A process that runs a job as `maskdet` would, to be killed from outside: FOLDER MODULE JOB_JSON WORKERS.

SIGTERM becomes an exception, as the command line has it. Ends with the exit code of the error.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from types import FrameType

from maskdet.errors import Interrupted, MaskdetError
from maskdet.training.launch.process import WorkerCommand, run_worker


def interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted("ended by SIGTERM")


signal.signal(signal.SIGTERM, interrupt)
folder, module, job, workers = sys.argv[1:]
try:
    run_worker(module, json.loads(job), Path(folder), WorkerCommand(processes=int(workers)))
except MaskdetError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(error.exit_code)
