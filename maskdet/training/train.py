"""The verb `train`: start the worker, follow it, draw the curves, and know how it can go on."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from maskdet.errors import StageError, TrainingError
from maskdet.files import sha256_file
from maskdet.training.curves import CURVES_NAME, draw_curves
from maskdet.training.metrics import METRICS_NAME, forget_after
from maskdet.training.process import Event, OnEvent, WorkerCommand, run_worker
from maskdet.training.settings import ModelSettings, TrainSettings
from maskdet.training.state import BEST_NAME, LAST_NAME, STATE_NAME, TrainState, read_state

LOG_NAME = "worker.log"
_WORKER_MEMORY = 4 * 2**30
"""Bytes a CPU worker may come to need: 3.2 GB were seen for PicoDet-S at 416 px with 16 pictures a step."""
_LEAST_SHARE = 4
"""Pictures a worker and step below which batch normalisation becomes too noisy to be worth the speed."""


@dataclass(frozen=True, slots=True)
class TrainJob:
    """One training: the recipe, the data, where results go, and the pipeline file's settings."""

    config: Path
    manifest: Path
    data_root: Path
    out: Path
    settings: TrainSettings
    model: ModelSettings

    def fingerprint(self) -> str:
        """Of what the resulting weights depend on; speed settings such as the device are not part of it."""
        parts = [
            sha256_file(self.config),
            sha256_file(self.manifest),
            str(self.settings.seed),
            str(self.settings.patience),
        ]
        parts.append("" if self.model.pretrained == "none" else sha256_file(Path(self.model.pretrained)))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TrainSummary:
    """How a training ended. AP50 is a fraction of 1, on val, of the best epoch (1-based)."""

    epochs: int
    best_epoch: int
    best_ap50: float
    stopped_early: bool
    workers: int


def train(job: TrainJob, *, on_event: OnEvent, resume: bool = False) -> TrainSummary:
    """Train to the end, writing last.*, best.*, metrics.jsonl and curves.png into `job.out`.

    With `resume` a training that was ended goes on from its last finished epoch, and one that was never begun
    begins. Without it the folder must not hold an unfinished one. `on_event` gets each event of the worker.

    Raises StageError when it may not begin here, TrainingError when the worker fails.
    """
    job.out.mkdir(parents=True, exist_ok=True)
    state = _starting_state(job, resume)
    command = _command(job.settings)
    forget_after(job.out, state.epoch if state else 0)
    done = run_worker(
        "maskdet.training.loop",
        _worker_job(job, command, state),
        job.out,
        command,
        _follow(job.out, on_event),
        channel=METRICS_NAME,
        log=job.out / LOG_NAME,
    )
    return TrainSummary(
        done["epochs"], done["best_epoch"], done["best_ap50"], done["stopped_early"], command.processes
    )


def start_over(out: Path) -> None:
    """Forget what a training left in the folder, so that the next one begins from the start."""
    for name in (STATE_NAME, METRICS_NAME, LAST_NAME, BEST_NAME, CURVES_NAME, LOG_NAME):
        (out / name).unlink(missing_ok=True)


def _starting_state(job: TrainJob, resume: bool) -> TrainState | None:
    state = read_state(job.out)
    if state is None or state.finished:
        start_over(job.out)
        return None
    if not resume:
        raise StageError(
            f"{job.out} holds an unfinished training at epoch {state.epoch} of {state.epochs}",
            "`maskdet train --resume` goes on, `maskdet train --force` starts over",
        )
    if state.fingerprint != job.fingerprint():
        raise StageError(
            f"{job.out} holds an unfinished training of {state.epochs} epochs "
            "with another recipe, data set, seed or start",
            "undo the change of the pipeline file, or start over with `maskdet train --force`",
        )
    return state


def _worker_job(job: TrainJob, command: WorkerCommand, state: TrainState | None) -> dict[str, object]:
    pretrained = job.model.pretrained
    return {
        "config": str(job.config),
        "manifest": str(job.manifest),
        "data_root": str(job.data_root),
        "out": str(job.out),
        "pretrained": "" if pretrained == "none" else str(pretrained),
        "seed": job.settings.seed,
        "patience": job.settings.patience,
        "evaluate_every": job.settings.evaluate_every,
        "devices": command.devices,
        "resume": state is not None,
        "fingerprint": job.fingerprint(),
    }


def _follow(out: Path, on_event: OnEvent) -> OnEvent:
    def follow(event: Event) -> None:
        on_event(event)
        if event["event"] == "epoch":
            draw_curves(out)

    return follow


def _command(settings: TrainSettings) -> WorkerCommand:
    python = settings.python or Path(sys.executable)
    devices = _devices(settings.device, python)
    if devices != "cpu":
        return WorkerCommand(python, processes=devices.count(",") + 1, devices=devices)
    return WorkerCommand(python, processes=_cpu_workers(settings))


def _devices(wanted: str, python: Path) -> str:
    if wanted == "cpu":
        return "cpu"
    gpus = len(probe(python)["gpus"])
    if wanted == "auto":
        return "0" if gpus else "cpu"
    numbers = wanted.partition(":")[2] or "0"
    if any(int(number) >= gpus for number in numbers.split(",")):
        raise TrainingError(
            f"train.device is {wanted}, but Paddle sees {gpus} GPU(s)",
            "set train.device: cpu, or see `maskdet doctor`",
        )
    return numbers


def _cpu_workers(settings: TrainSettings) -> int:
    if settings.workers != "auto":
        return settings.workers
    most = min(
        os.cpu_count() or 1,
        settings.batch_size // _LEAST_SHARE,
        psutil.virtual_memory().available // _WORKER_MEMORY,
    )
    return next((n for n in range(most, 1, -1) if settings.batch_size % n == 0), 1)


def probe(python: Path) -> Event:
    """What Paddle sees, asked in a worker: {"version", "cuda", "gpus": [names]}."""
    with TemporaryDirectory(prefix="maskdet-") as folder:
        return run_worker(
            "maskdet.training.probe", {}, Path(folder), WorkerCommand(python), lambda event: None
        )
