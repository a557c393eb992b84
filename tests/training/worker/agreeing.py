"""One of two workers on two machines: prints what `agreed` makes of unlike jobs. Run by test_agreement.py."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from maskdet.errors import TrainingError
from maskdet.training.detections_file import packed, unpacked
from maskdet.training.worker.agreement import agreed
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.exchange import gather
from maskdet.types import Detections


def job_of(out: Path, **changes: Any) -> dict[str, Any]:
    job = {"out": str(out), "fingerprint": "same", "evaluate_every": 1, "max_hours": None}
    return {**job, "resume": False, "parts": 1, "rate_share": 1.0, **changes}


def refusal(job: dict[str, Any]) -> str:
    try:
        agreed(job)
    except TrainingError as error:
        return error.what
    return ""


def main(folder: Path) -> None:
    paddle.set_device("cpu")
    paddle.distributed.init_parallel_env()
    rank = int(os.environ["PADDLE_TRAINER_ID"])
    out = folder / f"machine-{rank}"
    fresh = agreed(job_of(out))
    # Only machine 1 has come somewhere: its folder is prepared by the test.
    late = agreed(job_of(out, resume=rank == 1, parts=1 + rank))
    found = [
        Detections(np.full((rank, 4), rank, np.float32), np.ones(rank, np.float32), np.zeros(rank, np.int64))
    ]
    said = {
        "fresh": fresh["resume"],
        "late": [late["resume"], late["parts"]],
        "other data": refusal(job_of(out, fingerprint=f"of {rank}")),
        "other limit": refusal(job_of(out, max_hours=float(rank + 1))),
        "gathered": [len(unpacked(each)[0]) for each in gather(packed(found))],
        "texts": [each.decode() for each in gather(b"" if rank == 0 else "größer".encode())],
    }
    paddle.distributed.barrier()
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    os._exit(0)


main(Path(sys.argv[1]))
