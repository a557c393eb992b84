"""The verb `train`: start the worker, follow it, and recover from its failures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from maskdet.artefacts import BEST, CURVES_PAGE, CURVES_PLOT, LABEL_LIST, LAST, reading
from maskdet.dataset.label_list import write_labels
from maskdet.dataset.learnt import learnt_sha256, told_roles
from maskdet.dataset.manifest import load_manifest
from maskdet.errors import MaskdetError, StageError
from maskdet.system.asides import sweep
from maskdet.training.launch.disk_space import space_for
from maskdet.training.launch.failures import Diverged, OutOfMemory, relieved_by
from maskdet.training.launch.placement import cache_bytes, worker_command
from maskdet.training.launch.process import Event, OnEvent, WorkerCommand, run_worker
from maskdet.training.launch.recovery import Recovery
from maskdet.training.report.metrics_log import METRICS_NAME, forget_after
from maskdet.training.report.recorder import Recorder
from maskdet.training.settings import ModelSettings, TrainSettings
from maskdet.training.start.starting import Start, start_of
from maskdet.training.state import STATE_NAME, TrainState, read_state

LOG_NAME = "worker.log"
_LEAST_ROOM = 2**20
"""Bytes for the log, the metrics, the curves and the page."""
_ENDS = {
    "epochs": "Finished after {epochs} epochs.",
    "patience": "Finished after {epochs} epochs: AP50 had not risen for train.patience evaluations.",
    "max_hours": "Ended by train.max_hours after {epochs} epochs.",
}
_START_IS_BEST = f"No epoch improved on the start, whose weights are in {BEST}."


@dataclass(frozen=True, slots=True)
class TrainJob:
    """One training: the recipe, the data, where results go, and the pipeline file's settings."""

    config: Path
    manifest: Path
    out: Path
    settings: TrainSettings
    model: ModelSettings
    registry: Path | None = None
    """Its folder, if the model starts from a registered version."""

    def start(self) -> Start | None:
        """The weights to start from, None for random ones. Raises as `start_of`."""
        return start_of(self.model, told_roles(self.manifest), self.registry)

    def fingerprint(self) -> str:
        """Hash of what the resulting weights depend on, so not of speed settings such as the device."""
        parts = [
            _placeless_sha256(self.config, (load_manifest(self.manifest).folder, self.manifest.parent)),
            learnt_sha256(self.manifest),
            str(self.settings.seed),
            str(self.settings.patience),
        ]
        start = self.start()
        parts.append(start.fingerprint() if start else "")
        if self.settings.start_share:
            parts.append(str(self.settings.start_share))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TrainSummary:
    """How a training ended. AP50 is a fraction of 1, on val, of the best epoch; 0 is the start."""

    epochs: int
    best_epoch: int
    best_ap50: float
    workers: int
    start_ap50: float | None = None
    """AP50 of the starting weights, None if they do not know the data's classes."""
    reason: str = "epochs"
    """The setting that ended it: epochs, patience or max_hours."""
    recovery: Recovery = field(default_factory=Recovery)
    """The recovery that it needed."""
    advice: tuple[str, ...] = ()
    """What to set so that the next training needs no recovery."""
    warnings: tuple[str, ...] = ()
    lost: int = 0
    """Train pictures that became unreadable and were left out."""


def train(job: TrainJob, *, on_event: OnEvent, resume: bool = False) -> TrainSummary:
    """Train to the end, writing last.*, best.*, metrics.jsonl, curves.png and index.html into `job.out`.

    With `resume` a stopped training continues from its last finished epoch, and one that never started is
    started. Without it the folder must not hold an unfinished one. `on_event` gets each event of the worker,
    and a warning if memory ran out or the loss diverged and the training continues with less.

    Raises StageError if it may not start here, TrainingError if the worker fails.
    """
    job.out.mkdir(parents=True, exist_ok=True)
    state = _starting_state(job, resume)
    sweep(job.out)
    write_labels(job.out, load_manifest(job.manifest).labels)
    command = worker_command(job.settings)
    recorder = Recorder(job.out, on_event)
    with space_for(job.out, _LEAST_ROOM), _told_on_the_page(recorder):
        done, recovery = _until_done(job, command, Recovery.of(state), recorder)
        recorder.end(_end(done))
    return TrainSummary(
        done["epochs"],
        done["best_epoch"],
        done["best_ap50"],
        command.workers,
        start_ap50=done["start_ap50"],
        reason=done["reason"],
        recovery=recovery,
        advice=recovery.advice(job.settings.batch_size, command.workers, _peak_rate(job.config)),
        warnings=tuple(event["text"] for event in recorder.warnings),
        lost=sum(event["kind"] == "picture" for event in recorder.warnings),
    )


def _end(done: Event) -> str:
    how = _ENDS[done["reason"]].format(**done)
    return how if done["best_epoch"] else f"{how} {_START_IS_BEST}"


def _until_done(
    job: TrainJob, command: WorkerCommand, recovery: Recovery, recorder: Recorder
) -> tuple[Event, Recovery]:
    """Retry until it succeeds, or nothing more helps; each attempt starts at the last finished epoch."""
    share = job.settings.batch_size // command.workers
    while True:
        state = read_state(job.out)
        epoch = state.epoch if state else 0
        try:
            return _attempt(job, command, recovery, state, recorder), recovery
        except (OutOfMemory, Diverged) as failure:
            if command.cluster is not None:
                raise  # the other machines have failed for want of this one, and start again together
            more = recovery.after(failure, share)
            forget_after(job.out, epoch)
            recorder.tell(more.words(failure, share, epoch), type(failure).__name__, epoch)
            recovery = more


def _attempt(
    job: TrainJob, command: WorkerCommand, recovery: Recovery, state: TrainState | None, recorder: Recorder
) -> Event:
    forget_after(job.out, state.epoch if state else 0)
    with relieved_by("lower train.batch_size or train.workers"):
        return run_worker(
            "maskdet.training.worker.loop",
            _worker_job(job, command, recovery, state),
            job.out,
            command,
            recorder,
            channel=METRICS_NAME,
            log=job.out / LOG_NAME,
        )


@contextmanager
def _told_on_the_page(recorder: Recorder) -> Iterator[None]:
    try:
        yield
    except MaskdetError as error:
        recorder.end(f"Ended: {error.what}")
        raise
    except KeyboardInterrupt:
        recorder.end("Stopped.")
        raise


def start_over(out: Path) -> None:
    """Remove what a training left in the folder, so that the next one starts from scratch."""
    weights = (STATE_NAME, LAST, BEST, LABEL_LIST)
    for name in (*weights, METRICS_NAME, CURVES_PLOT, CURVES_PAGE, LOG_NAME):
        (out / name).unlink(missing_ok=True)


def _starting_state(job: TrainJob, resume: bool) -> TrainState | None:
    state = read_state(job.out)
    if state is None or (state.finished and not resume):
        start_over(job.out)
        return None
    if not resume:
        raise StageError(
            f"{job.out} holds an unfinished training at epoch {state.epoch} of {state.epochs}",
            "`maskdet train --resume` resumes it, `maskdet train --force` starts over",
        )
    if state.fingerprint != job.fingerprint():
        raise StageError(
            f"{job.out} holds {'a' if state.finished else 'an unfinished'} training of {state.epochs} epochs "
            "with another recipe, data set, seed or start",
            "undo the change of the pipeline file, or start over with `maskdet train --force`",
        )
    return state


def _worker_job(
    job: TrainJob, command: WorkerCommand, recovery: Recovery, state: TrainState | None
) -> dict[str, object]:
    start = job.start()
    return {
        "config": str(job.config),
        "manifest": str(job.manifest),
        "out": str(job.out),
        "start": start.to_job() if start else {},
        "start_share": job.settings.start_share,
        "seed": job.settings.seed,
        "patience": job.settings.patience,
        "evaluate_every": job.settings.evaluate_every,
        "devices": command.devices,
        "resume": state is not None,
        "fingerprint": job.fingerprint(),
        "parts": recovery.parts,
        "rate_share": recovery.rate_share,
        "cache_bytes": cache_bytes(job.settings) // command.processes // recovery.parts,
        "max_hours": job.settings.max_hours,
    }


def _placeless_sha256(config: Path, places: Iterable[Path]) -> str:
    """The content without the places of the files, which may lie elsewhere on each machine."""
    with reading(config, "maskdet config"):
        document = yaml.safe_load(config.read_text(encoding="utf-8"))
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    for number, place in enumerate(places):
        text = text.replace(place.as_posix(), f"<{number}>")
    return hashlib.sha256(text.encode()).hexdigest()


def _peak_rate(config: Path) -> float:
    document = yaml.safe_load(config.read_text(encoding="utf-8"))
    return float(document["LearningRate"]["base_lr"])
