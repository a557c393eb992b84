"""The verb `eval` for a checkpoint: detect in a worker, judge here as every model is judged."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from maskdet.dataset.manifest import load_manifest
from maskdet.evaluation.evaluator import evaluate
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.settings import EvalSettings
from maskdet.progress import Track, silent
from maskdet.training.found import read_found
from maskdet.training.process import WorkerCommand, run_worker


@dataclass(frozen=True, slots=True)
class EvalJob:
    """Which checkpoint to judge, on the val part of which manifest."""

    config: Path
    manifest: Path
    data_root: Path
    weights: Path
    settings: EvalSettings
    python: Path | None = None


def evaluate_checkpoint(job: EvalJob, *, track: Track = silent) -> Evaluation:
    """Judge a .pdparams file on val. Raises TrainingError when the worker cannot run it."""
    manifest = load_manifest(job.manifest)
    pictures = manifest.part("val")
    with TemporaryDirectory(prefix="maskdet-") as name:
        out = Path(name) / "found.npz"
        _detect(job, out, len(pictures), track)
        found = read_found(out)
    truths = (manifest.ground_truth(picture) for picture in pictures)
    return evaluate(zip(truths, found, strict=True), manifest.labels, thresholds=job.settings.threshold)


def _detect(job: EvalJob, out: Path, total: int, track: Track) -> None:
    worker_job = {
        "config": str(job.config),
        "weights": str(job.weights),
        "manifest": str(job.manifest),
        "data_root": str(job.data_root),
        "part": "val",
        "batch_size": job.settings.batch_size,
        "devices": "cpu",
        "out": str(out),
    }
    shown = _Counter(track, total)
    command = WorkerCommand(job.python or Path(sys.executable))
    run_worker(
        "maskdet.training.inference",
        worker_job,
        out.parent,
        command,
        lambda event: shown.advance(event.get("done", 0)),
    )
    shown.advance(total)


class _Counter:
    """Drives a Track from counts that another process reports."""

    def __init__(self, track: Track, total: int) -> None:
        self._items = track(range(total), "evaluating", total)
        self._done = 0

    def advance(self, done: int) -> None:
        while self._done < done:
            next(self._items, None)
            self._done += 1
