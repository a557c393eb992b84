"""Steps of scripts/check_gpu with ONNX Runtime: the exported model next to the CPU, passes, a server."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np

import maskdet
from check_gpu.steps import Check, CheckError, Found, Training, read_lines
from maskdet.artefacts import BUNDLE, MANIFEST
from maskdet.dataset.manifest import load_manifest
from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.runtime.registry import open_session
from maskdet.detector.runtime.session import GpuOptions, Session
from maskdet.export.comparison import Judge, RawOutputs
from maskdet.export.parity import BATCH_SIZES, Parity, parity_batch
from maskdet.export.settings import ExportSettings
from maskdet.pipeline.references.models import existing_model
from maskdet.serving.client import pictures_in
from maskdet.serving.engine.batching import SIZES, best_batch
from maskdet.serving.engine.sized_sessions import open_fitting, seconds_by_size
from maskdet.serving.settings import ServeSettings
from served import ROOT, server

CONNECTIONS = (1, 16, 64)
BENCH_SECONDS = 5.0
START_SECONDS = 300.0
"""For CUDA's start, and batches measured."""
SCORES_ROUNDED = 0.002
"""Largest difference of a score: the server rounds, and the GPU may differ a little."""


@dataclass(frozen=True)
class Subject:
    """The model that is checked, and pictures for it."""

    bundle: Bundle
    pictures: Sequence[Path]


def subject(check: Check, training: Training | None) -> Subject:
    """The given model, or what the training led to. Raises FileNotFoundError if the training failed."""
    if training is None:
        return Subject(load_bundle(existing_model(check.model)), pictures_in([check.pictures]))
    bundle = check.results(training) / "export" / BUNDLE
    if not bundle.is_file():
        raise FileNotFoundError(2, "missing", str(bundle))
    manifest = load_manifest(check.results(training) / "prepare" / MANIFEST)
    return Subject(load_bundle(bundle), manifest.paths("val"))


def session_on(check: Check, bundle: Bundle, *, tensorrt: bool = False) -> Session:
    # On the CPU a session of its own, with all cores.
    gpu = GpuOptions(engines=check.engines() if tensorrt else None)
    return open_session(bundle.model, device=check.device, gpu=gpu)


def parity(check: Check, training: Training | None, *, tensorrt: bool) -> Found:
    """The same pictures through one CPU thread and through the device, at each batch size."""
    found, limits = subject(check, training), ExportSettings()
    bundle = found.bundle
    pictures = parity_batch(found.pictures, limits.parity_pictures, bundle.meta.input_size)
    counts = np.array(list(bundle.meta.network_thresholds.values()), np.float32)
    judge, other = Judge(bundle.meta.input_size, counts), session_on(check, bundle, tensorrt=tensorrt)
    name = "TensorRT" if tensorrt else check.device
    compared = [
        judge.compare(
            f"cpu and {name}", size, outputs(bundle.session, pictures, size), outputs(other, pictures, size)
        )
        for size in BATCH_SIZES
    ]
    result = Parity(len(pictures), limits.score_tolerance, limits.box_tolerance, tuple(compared))
    result.require()
    figures = {
        f"batch {one.batch_size}": f"scores within {one.score_difference:.2g}, boxes within "
        f"{one.box_difference:.2g} px, {one.matched} of {one.detections} detections matched"
        for one in compared
    }
    return f"{len(pictures)} pictures, scores within {result.score_difference:.2g}", figures


def outputs(session: Session, pictures: Any, size: int) -> RawOutputs:
    parts = [session.run(pictures[start : start + size]) for start in range(0, len(pictures), size)]
    return RawOutputs(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def passes(check: Check, training: Training | None) -> Found:
    """Milliseconds of a pass by batch, as `serve.max_batch: auto` measures them."""
    bundle = subject(check, training).bundle

    def opened(memory_mb: int) -> Session:
        return open_session(bundle.model, device=check.device, gpu=GpuOptions(memory_mb))

    def run(session: Session, pictures: int) -> None:
        session.run(np.zeros((pictures, *bundle.meta.input_size, 3), np.uint8))

    sessions = open_fitting(opened, SIZES, ServeSettings().gpu_memory_mb, run)
    seconds = seconds_by_size(sessions, run)
    figures = {f"{size} pictures, ms": round(1000 * taken, 2) for size, taken in seconds.items()}
    return f"the largest batch that pays has {best_batch(seconds)} pictures", figures


def serve(check: Check, training: Training | None, *, device: str) -> Found:
    """Each picture answered as by one CPU thread, then requests a second."""
    found = subject(check, training)
    path, log = found.bundle.path, check.out / f"serve-{device}.log"
    with server(log, "--model", str(path), "--device", device, start_seconds=START_SECONDS) as address:
        detector = maskdet.load(path, threads=1)
        faces = [answered_as_on_cpu(address, detector, picture) for picture in found.pictures]
        busiest = found.pictures[int(np.argmax(faces))]
        figures = {
            f"{count} connections": bench(address, busiest, max(faces), count, check.out)
            for count in CONNECTIONS
        }
    ready = [line for line in read_lines(log) if line.get("message") == "ready"]
    figures["max_batch"] = next(iter(ready[-1]["max_batch"].values())) if ready else "unknown"
    best = figures[f"{CONNECTIONS[-1]} connections"]
    return f"{len(faces)} pictures answered as on the CPU; at {CONNECTIONS[-1]} connections {best}", figures


def answered_as_on_cpu(address: str, detector: maskdet.MaskDetector, picture: Path) -> int:
    """The number of faces. Raises CheckError if server and CPU differ."""
    answer = httpx.post(
        f"{address}/v1/detect",
        content=picture.read_bytes(),
        headers={"Content-Type": "image/jpeg"},
        timeout=60,
        trust_env=False,
    )
    found = answer.json()["results"][0]["detections"] if answer.is_success else answer.text
    expected = detector(picture)
    same = len(found) == len(expected) and all(
        one["label"] == other.label and abs(one["score"] - other.score) <= SCORES_ROUNDED
        for one, other in zip(found, expected, strict=True)
    )
    if not same:
        raise CheckError(f"{picture.name}: the server says {found}, the CPU {list(expected)}")
    return len(expected)


def bench(address: str, picture: Path, faces: int, connections: int, folder: Path) -> str:
    """Closed loop: each connection sends its next request when the last one is answered."""
    place = urlsplit(address)
    task = {
        "host": place.hostname,
        "port": place.port,
        "path": "/v1/detect",
        "content_type": "image/jpeg",
        "body": str(picture),
        "connections": connections,
        "seconds": BENCH_SECONDS,
        "warm_up_seconds": 1.0,
        "answer_path": ["results", 0, "detections"],
        "detections": faces,
    }
    with tempfile.TemporaryFile("w+", dir=folder) as sent:
        json.dump(task, sent)
        sent.seek(0)
        script = [sys.executable, str(ROOT / "scripts" / "bench_serving" / "load.py")]
        done = subprocess.run(script, stdin=sent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckError(f"the load generator failed: {done.stderr[-500:]}")
    outcome = json.loads(done.stdout)
    if outcome["faults"] or not outcome["millis"]:
        raise CheckError(f"{len(outcome['faults'])} wrong answers: {outcome['faults'][:1]}")
    middle, late = np.percentile(outcome["millis"], (50, 95))
    rate = len(outcome["millis"]) / outcome["seconds"]
    return f"{rate:.1f} requests/s, p50 {middle:.1f} ms, p95 {late:.1f} ms"
