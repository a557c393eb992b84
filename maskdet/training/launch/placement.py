"""Where a training runs: devices, worker processes, and the memory that each may use for pictures."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from maskdet.errors import TrainingError
from maskdet.system.machine import core_count, memory_available
from maskdet.training.launch.cluster import cluster_of
from maskdet.training.launch.cpu_environment import cpu_environment
from maskdet.training.launch.failures import MORE_MEMORY, relieved_by
from maskdet.training.launch.gpus import VARIABLE, visible
from maskdet.training.launch.process import Event, WorkerCommand, run_worker
from maskdet.training.settings import TrainSettings

_WORKER_MEMORY = 4 * 2**30
"""Bytes a CPU worker may need: 3.2 GB were measured for PicoDet-S at 416 px with 16 pictures per step."""
_LEAST_SHARE = 4
"""Pictures per worker and step below which batch normalisation becomes too noisy to be worth the speed."""
_MOST_CACHE = 2**30


def worker_command(settings: TrainSettings) -> WorkerCommand:
    """How to start the requested workers.

    Raises TrainingError for a missing GPU, for mixed precision without one, and as `cluster_of`.
    """
    python = settings.python or Path(sys.executable)
    devices, cluster = _devices(settings.device, python), cluster_of(settings)
    if settings.amp and devices == "cpu":
        raise TrainingError(
            "train.amp needs a GPU, and Paddle sees none", "set train.amp: false, or see `maskdet doctor`"
        )
    if devices != "cpu":
        return WorkerCommand(python, processes=devices.count(",") + 1, devices=devices, cluster=cluster)
    return WorkerCommand(
        python, processes=_cpu_workers(settings), variables=cpu_environment(), cluster=cluster
    )


def single_worker(python: Path | None) -> WorkerCommand:
    """How to start the worker that evaluates or exports a checkpoint, on the CPU.

    It works on one picture per core, each with one thread: threads waiting for their share of an operator
    would keep their cores busy, which on a machine that is also training costs more than it gains.
    """
    return WorkerCommand(python or Path(sys.executable), threads=1, variables=cpu_environment())


def cache_bytes(settings: TrainSettings) -> int:
    """Bytes for decoded pictures over all workers; auto: a quarter of the free memory, 1 GiB at most."""
    if settings.cache_mb != "auto":
        return settings.cache_mb * 2**20
    return min(_MOST_CACHE, memory_available() // 4)


def probe(python: Path) -> Event:
    """What Paddle sees, as reported by a worker: {"version", "cuda", "cudnn", "gpus": [names]}."""
    return _asked("probe", {}, python)


def trial(python: Path) -> Event:
    """`probe`, and that Paddle computes on every GPU, or on the CPU where there is none.

    Also {"tried": [devices], "details": [{"memory_mb", "capability"}]} by GPU. Raises as `run_worker`.
    """
    return _asked("trial", {"devices": []}, python)


def _asked(module: str, job: dict[str, object], python: Path) -> Event:
    with TemporaryDirectory(prefix="maskdet-") as folder, relieved_by(MORE_MEMORY):
        return run_worker(f"maskdet.training.worker.{module}", job, Path(folder), WorkerCommand(python))


def _devices(wanted: str, python: Path) -> str:
    if wanted == "cpu":
        return "cpu"
    gpus = len(probe(python)["gpus"])
    if wanted == "auto":
        return "0" if gpus else "cpu"
    named = wanted.partition(":")[2] or "0"
    numbers = ",".join(map(str, range(gpus))) or "0" if named == "all" else named
    chosen = [int(number) for number in numbers.split(",")]
    if len(set(chosen)) < len(chosen):
        raise TrainingError(f"train.device is {wanted}, which names a GPU twice", "name each once")
    if max(chosen) >= gpus:
        among = visible(os.environ)
        limited = "" if among is None else f" with {VARIABLE}={','.join(among)}"
        raise TrainingError(
            f"train.device is {wanted}, but Paddle sees {gpus} GPU(s){limited}",
            "set train.device: cpu, or see `maskdet doctor`",
        )
    return numbers


def _cpu_workers(settings: TrainSettings) -> int:
    if settings.workers != "auto":
        return settings.workers
    most = min(
        core_count(),
        settings.batch_size // settings.nodes // _LEAST_SHARE,
        memory_available() // _WORKER_MEMORY,
    )
    return next((n for n in range(most, 1, -1) if settings.batch_size % (n * settings.nodes) == 0), 1)
