"""Detections of a checkpoint on one part of the manifest, processed like those of all models.

Worker side; `run` is the job "detect", whose result the parent reads with `maskdet.training.detections_file`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from maskdet.dataset.manifest import load_manifest
from maskdet.detector.brightness import mean_luma
from maskdet.detector.picture import DecodedPicture, read_reduced
from maskdet.detector.postprocess import to_detections
from maskdet.detector.preprocess import to_batch
from maskdet.detector.settings import NmsSettings
from maskdet.system.flow import run_in_order
from maskdet.training.detections_file import write_found
from maskdet.training.worker.checkpoint import load_weights
from maskdet.training.worker.network import RawDetector, build_network, choose_device, load_config
from maskdet.types import Detections


def run(job: dict[str, Any], report: Callable[..., None]) -> None:
    """Job keys: config, weights, classes (how many), manifest, part, batch_size, devices, threads,
    out (an .npz).
    """
    config = load_config(Path(job["config"]), num_classes=job["classes"])
    choose_device(job["devices"])
    network = build_network(config)
    load_weights(network, Path(job["weights"]))
    manifest, input_size = load_manifest(Path(job["manifest"])), tuple(config["eval_size"])
    paths = manifest.paths(job["part"])
    lumas: dict[Path, float] = {}

    def read(path: Path) -> DecodedPicture:
        picture = read_reduced(path, at_least=input_size)
        lumas[path] = mean_luma(picture.pixels)
        return picture

    found = detect(
        RawDetector(network),
        paths,
        read,
        input_size=input_size,
        batch_size=job["batch_size"],
        threads=job["threads"],
        on_done=lambda done: report("progress", done=done, total=len(paths)),
    )
    write_found(Path(job["out"]), found, [lumas[path] for path in paths])
    report("done")


def detect(
    detector: RawDetector,
    paths: Sequence[Path],
    read: Callable[[Path], DecodedPicture],
    *,
    input_size: tuple[int, int],
    batch_size: int,
    threads: int = 1,
    on_done: Callable[[int], None] = lambda done: None,
) -> list[Detections]:
    """Detections in the order of `paths`, boxes in pixels of the whole picture.

    `threads` batches are processed in parallel; with one, in the caller's own thread.
    """
    parts = [paths[start : start + batch_size] for start in range(0, len(paths), batch_size)]
    tasks = [partial(_detect_batch, detector, part, read, input_size) for part in parts]
    found: list[Detections] = []
    for some in _results(tasks, threads):
        found += some
        on_done(len(found))
    return found


def _results(tasks: Sequence[Callable[[], list[Detections]]], threads: int) -> Iterator[list[Detections]]:
    return run_in_order(tasks, threads) if threads > 1 else (task() for task in tasks)


def _detect_batch(
    detector: RawDetector,
    paths: Sequence[Path],
    read: Callable[[Path], DecodedPicture],
    input_size: tuple[int, int],
) -> list[Detections]:
    opened = [read(path) for path in paths]
    boxes, scores = detector.run(to_batch([picture.pixels for picture in opened], input_size))
    return [
        to_detections(b, s, picture_size=picture.size, input_size=input_size, nms=NmsSettings())
        for b, s, picture in zip(boxes, scores, opened, strict=True)
    ]
