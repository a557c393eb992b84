"""Detections of a checkpoint on one part of the manifest, with the pre- and postprocessing of all models.

Worker side; `run` is the job "detect", whose result the parent reads with `maskdet.training.detections_file`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from maskdet.dataset.manifest import ManifestPicture, load_manifest
from maskdet.detector.picture import read_picture
from maskdet.detector.postprocess import to_detections
from maskdet.detector.preprocess import to_batch
from maskdet.detector.settings import NmsSettings
from maskdet.training.detections_file import write_found
from maskdet.training.worker.checkpoint import load_weights
from maskdet.training.worker.network import RawDetector, build_network, choose_device, load_config
from maskdet.types import Detections, Picture


def run(job: dict[str, Any], report: Callable[..., None]) -> None:
    """Job keys: config, weights, classes (how many), manifest, data_root, part, batch_size, devices, out (an
    .npz).
    """
    config = load_config(Path(job["config"]), num_classes=job["classes"])
    choose_device(job["devices"])
    network = build_network(config)
    load_weights(network, Path(job["weights"]))
    pictures = load_manifest(Path(job["manifest"])).part(job["part"])
    found = detect(
        RawDetector(network),
        pictures,
        Path(job["data_root"]),
        input_size=tuple(config["eval_size"]),
        batch_size=job["batch_size"],
        on_done=lambda done: report("progress", done=done, total=len(pictures)),
    )
    write_found(Path(job["out"]), found)
    report("done")


def detect(
    detector: RawDetector,
    pictures: Sequence[ManifestPicture],
    root: Path,
    *,
    input_size: tuple[int, int],
    batch_size: int,
    on_done: Callable[[int], None] = lambda done: None,
    read: Callable[[Path], Picture] = read_picture,
) -> list[Detections]:
    """Detections in the order of `pictures`, boxes in pixels of the original picture."""
    found: list[Detections] = []
    waiting = iter(pictures)
    while some := list(islice(waiting, batch_size)):
        opened = [read(root / item.picture) for item in some]
        boxes, scores = detector.run(to_batch(opened, input_size))
        found += [
            to_detections(
                b,
                s,
                picture_size=(picture.shape[0], picture.shape[1]),
                input_size=input_size,
                nms=NmsSettings(),
            )
            for b, s, picture in zip(boxes, scores, opened, strict=True)
        ]
        on_done(len(found))
    return found
