"""The verb `export`: checkpoint to Paddle inference format and bundle, then compared and evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from maskdet.artefacts import BUNDLE, PARITY
from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.calibration import Calibration
from maskdet.detector.settings import BundleMeta
from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.errors import ExportError
from maskdet.evaluation.settings import EvalSettings
from maskdet.export.metadata import with_meta
from maskdet.export.parity import BATCH_SIZES, Parity, compare, parity_batch
from maskdet.export.settings import ExportSettings
from maskdet.judging.bundles import survey_bundle
from maskdet.progress import Track, silent
from maskdet.system.files import sha256_file, staged_file, write_json
from maskdet.system.machine import core_count
from maskdet.training.launch.failures import MORE_MEMORY, relieved_by
from maskdet.training.launch.placement import single_worker
from maskdet.training.launch.process import run_worker
from maskdet.training.networks.picodet import MEAN, STD
from maskdet.training.networks.registry import variant

_AP_TOLERANCE = 0.005
"""Allowed difference in AP50 of the ONNX file: one detection at the edge of a match can make this much."""
_MOST_THREADS = 4
"""Each has a whole batch in memory."""


@dataclass(frozen=True, slots=True)
class ExportJob:
    """What to export and what to write into the bundle.

    `thresholds` (label to score), the policy that chose them, `metrics` (flat figures on val, with "ap50")
    and the calibration of the scores come from the evaluation of the same checkpoint.
    """

    name: str
    variant: str
    config: Path
    weights: Path
    manifest: Path
    out: Path
    settings: ExportSettings
    eval_settings: EvalSettings
    thresholds: dict[str, float]
    threshold_policy: ThresholdPolicy
    metrics: dict[str, float]
    calibration: Calibration | None = None
    python: Path | None = None


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """The result of checking the export; `ap50_onnx` is a fraction of 1 on val, None without a bundle."""

    parity: Parity
    ap50_onnx: float | None


def export(job: ExportJob, *, track: Track = silent) -> ExportSummary:
    """Write the Paddle inference model, infer_cfg.yml, the bundle and parity.json into `job.out`.

    Raises ExportError if a conversion fails or the files do not agree with the checkpoint.
    """
    manifest = load_manifest(job.manifest)
    input_size = variant(job.variant).input_size
    batch = parity_batch(manifest.paths("val"), job.settings.parity_pictures, input_size)
    stored = _convert(job, manifest, batch)
    bundle = load_bundle(job.out / BUNDLE) if job.settings.onnx else None
    known = _meta(job, manifest).network_thresholds
    counts = np.array([known[label] for label in manifest.labels], np.float32)
    parity = compare(batch, stored, bundle.session if bundle else None, job.settings, counts)
    parity.require()
    ap50 = _judge(job, bundle, manifest, track) if bundle else None
    told = {"ap50_checkpoint": job.metrics.get("ap50"), "ap50_onnx": ap50}
    # Whoever finds the proof beside a model can tell whether it is that model's.
    proven = sha256_file(job.out / BUNDLE) if bundle else None
    write_json(job.out / PARITY, {**parity.to_json(), **told, "bundle_sha256": proven})
    return ExportSummary(parity, ap50)


def _convert(job: ExportJob, manifest: Manifest, batch: Any) -> dict[str, Any]:
    with TemporaryDirectory(prefix="maskdet-") as name:
        folder = Path(name)
        np.savez(folder / "pictures.npz", batch=batch)
        worker_job = {
            "config": str(job.config),
            "weights": str(job.weights),
            "out": str(job.out),
            "meta": _meta(job, manifest).model_dump(mode="json"),
            "onnx": job.settings.onnx,
            "nms": job.settings.nms,
            "pictures": str(folder / "pictures.npz"),
            "outputs": str(folder / "outputs.npz"),
            "batch_size": max(BATCH_SIZES),
            "threads": min(core_count(), _MOST_THREADS),
        }
        with relieved_by(MORE_MEMORY):
            run_worker(
                "maskdet.export.worker.conversion",
                worker_job,
                folder,
                single_worker(job.python),
            )
        with np.load(folder / "outputs.npz", allow_pickle=False) as stored:
            return dict(stored)


def _meta(job: ExportJob, manifest: Manifest) -> BundleMeta:
    return BundleMeta(
        name=job.name,
        variant=job.variant,
        labels=manifest.labels,
        roles=dict(manifest.roles),
        input_size=variant(job.variant).input_size,
        mean=MEAN,
        std=STD,
        calibration=job.calibration,
        thresholds=job.thresholds,
        threshold_policy=job.threshold_policy,
        metrics=job.metrics,
        manifest_sha256=manifest.data_hash,
    )


def _judge(job: ExportJob, bundle: Bundle, manifest: Manifest, track: Track) -> float:
    """AP50 of the bundle, which gets its profile from the same answers."""
    judged, profile = survey_bundle(bundle, manifest, job.eval_settings, track=track)
    ap50 = judged.ap50
    expected = job.metrics.get("ap50", ap50)
    if abs(ap50 - expected) > _AP_TOLERANCE:
        raise ExportError(
            f"AP50 of the ONNX file is {ap50:.4f} on val, that of the checkpoint {expected:.4f}",
            "run `maskdet eval --force`, then export again; see `maskdet doctor` for untested versions",
        )
    with staged_file(bundle.path) as aside:
        aside.write_bytes(with_meta(bundle.model, bundle.meta.model_copy(update={"profile": profile})))
    return ap50
