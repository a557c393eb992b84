"""A bundle judged on the val part, by the evaluator that judges checkpoints."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.detector.bundle import Bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import read_picture
from maskdet.detector.tiling import PLAIN, Look, detect_closely
from maskdet.evaluation.policies import Shipped
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.views import View
from maskdet.judging.class_match import match_classes
from maskdet.judging.views import view_of
from maskdet.progress import Track, silent
from maskdet.types import Detections


def evaluate_bundle(
    bundle: Bundle, manifest: Manifest, data_root: Path, settings: EvalSettings, *, track: Track = silent
) -> Evaluation:
    """`judge_bundle` of the plain look, without the time."""
    return judge_bundle(bundle, manifest, data_root, settings, track=track)[0]


def judge_bundle(
    bundle: Bundle,
    manifest: Manifest,
    data_root: Path,
    settings: EvalSettings,
    *,
    look: Look = PLAIN,
    track: Track = silent,
) -> tuple[Evaluation, float]:
    """Detect in every val picture with ONNX Runtime and judge, at the thresholds that the bundle ships.

    Also the milliseconds that a picture took, decoding left out.
    Raises BundleError when no class of the bundle is one of the data set.
    """
    meta = bundle.meta
    match = match_classes(manifest, meta.labels, meta.roles)
    pictures = manifest.part("val")
    looked = _look(Detector(bundle), pictures, data_root, look)
    found, views, seconds = zip(*track(looked, "evaluating", len(pictures)), strict=True)
    pairs = zip((manifest.ground_truth(picture) for picture in pictures), found, strict=True)
    shipped = Shipped(match.rename(meta.thresholds), meta.threshold_policy)
    judged = match.judge(pairs, views, settings, meta.input_size, shipped=shipped)
    return judged, 1000 * sum(seconds) / len(seconds)


def _look(
    detector: Detector, items: Sequence[ManifestPicture], root: Path, look: Look
) -> Iterator[tuple[Detections, View, float]]:
    for item in items:
        picture = read_picture(root / item.picture)
        started = time.perf_counter()
        found = detect_closely(detector, picture, look)
        yield found, view_of(item, root, picture), time.perf_counter() - started
