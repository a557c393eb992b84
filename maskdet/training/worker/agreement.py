"""What all machines of a training must agree on before it starts. Worker side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from maskdet.artefacts import BEST
from maskdet.errors import TrainingError
from maskdet.system.files import staged_file
from maskdet.training.launch.cluster import spans_machines
from maskdet.training.state import STATE_NAME, read_state
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.exchange import broadcast, gather, writes_files


def agreed(job: dict[str, Any]) -> dict[str, Any]:
    """The job as all machines carry it out; their results folders then hold the same unfinished training.

    The one that has come furthest counts: a machine that was replaced, or stopped an epoch earlier, gets its
    state. Raises TrainingError if the machines do not train the same.
    """
    if not spans_machines():
        return job
    offers = [json.loads(each) for each in gather(json.dumps(_offer(job)).encode())]
    _require_same(offers)
    source = max(range(len(offers)), key=lambda rank: (offers[rank]["epoch"], -rank))
    best = offers[source]
    if best["epoch"] >= 0:
        for name in (STATE_NAME, BEST):
            _send(Path(job["out"]) / name, source)
        paddle.distributed.barrier()
    return {
        **job,
        "resume": best["epoch"] >= 0,
        "parts": best["parts"],
        "rate_share": best["rate_share"],
    }


def _offer(job: dict[str, Any]) -> dict[str, Any]:
    state = read_state(Path(job["out"])) if job["resume"] else None
    same = {key: job[key] for key in ("fingerprint", "evaluate_every", "max_hours", "parts", "rate_share")}
    return {**same, "epoch": -1 if state is None else state.epoch}


def _require_same(offers: list[dict[str, Any]]) -> None:
    for key in ("fingerprint", "evaluate_every", "max_hours"):
        if len({offer[key] for offer in offers}) > 1:
            what = "data set, recipe, seed or start" if key == "fingerprint" else f"train.{key}"
            raise TrainingError(
                f"the machines of this training differ in {what}",
                "give all of them the same pipeline file, data set and release of maskdet",
            )


def _send(path: Path, source: int) -> None:
    mine = int(paddle.distributed.get_rank()) == source
    data = broadcast(path.read_bytes() if mine and path.is_file() else b"", source)
    if data and writes_files() and not mine:
        with staged_file(path) as aside:
            aside.write_bytes(data)
