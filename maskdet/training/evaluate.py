"""The verb `eval` for a checkpoint: detect in a worker, evaluate here like every model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from maskdet.dataset.manifest import load_manifest
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.settings import EvalSettings
from maskdet.judging.class_match import match_classes
from maskdet.judging.views import grouped, view_of
from maskdet.progress import Counter, Track, silent
from maskdet.system.machine import core_count
from maskdet.training.detections_file import read_found
from maskdet.training.launch.failures import relieved_by
from maskdet.training.launch.placement import single_worker
from maskdet.training.launch.process import run_worker
from maskdet.training.start.checkpoint_meta import read_meta
from maskdet.wording.lexicon import label_roles


@dataclass(frozen=True, slots=True)
class EvalJob:
    """Which checkpoint to evaluate, on the val part of which manifest."""

    config: Path
    manifest: Path
    weights: Path
    input_size: tuple[int, int]
    """Height and width of the network input in pixels."""
    settings: EvalSettings
    python: Path | None = None


def evaluate_checkpoint(job: EvalJob, *, track: Track = silent) -> Evaluation:
    """Evaluate a .pdparams file on val; its classes are those in the label list beside it, else the data's.

    Raises TrainingError if the worker cannot run it, BundleError if no class is one of the data's.
    """
    manifest = load_manifest(job.manifest)
    known = read_meta(job.weights).labels or manifest.labels
    match = match_classes(manifest, known, label_roles(known, manifest.roles))
    pictures = manifest.part("val")
    with TemporaryDirectory(prefix="maskdet-") as name:
        out = Path(name) / "found.npz"
        _detect(job, len(known), out, len(pictures), track)
        found, lumas = read_found(out)
    truths = (manifest.ground_truth(picture) for picture in pictures)
    views = [view_of(manifest, picture, luma) for picture, luma in zip(pictures, lumas, strict=True)]
    pairs = zip(truths, found, strict=True)
    return match.judge(pairs, grouped(views, pictures), job.settings, job.input_size)


def _detect(job: EvalJob, classes: int, out: Path, total: int, track: Track) -> None:
    # All threads together hold a batch in memory.
    threads = min(core_count(), job.settings.batch_size)
    worker_job = {
        "config": str(job.config),
        "weights": str(job.weights),
        "classes": classes,
        "manifest": str(job.manifest),
        "part": "val",
        "batch_size": job.settings.batch_size // threads,
        "devices": "cpu",
        "threads": threads,
        "out": str(out),
    }
    shown = Counter(track, total, "evaluating")
    command = single_worker(job.python)
    with relieved_by("lower eval.batch_size, or free memory"):
        run_worker(
            "maskdet.training.worker.inference",
            worker_job,
            out.parent,
            command,
            lambda event: shown.advance(event.get("done", 0)),
        )
    shown.advance(total)
