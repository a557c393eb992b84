"""A bundle evaluated on the val part, by the same evaluator as checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.detector.bundle import Bundle
from maskdet.detector.conclusion import conclude, rule_of
from maskdet.detector.detector import Detector
from maskdet.detector.picture import DecodedPicture, read_reduced
from maskdet.detector.preprocess import resize
from maskdet.detector.profile import Profile
from maskdet.detector.tiling import PLAIN, Look, detect_closely
from maskdet.drift.appearance import appearance
from maskdet.drift.profile import take_profile
from maskdet.drift.sighting import Sighting, sighting
from maskdet.evaluation.policies import Shipped
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.views import View, mean_luma
from maskdet.flow import run_in_order
from maskdet.judging.class_match import match_classes
from maskdet.judging.views import view_of
from maskdet.machine import core_count
from maskdet.progress import Track, silent
from maskdet.types import Detections


def evaluate_bundle(
    bundle: Bundle, manifest: Manifest, data_root: Path, settings: EvalSettings, *, track: Track = silent
) -> Evaluation:
    """`judge_bundle` of the plain look, without the time."""
    return judge_bundle(bundle, manifest, data_root, settings, track=track)[0]


def survey_bundle(
    bundle: Bundle, manifest: Manifest, data_root: Path, settings: EvalSettings, *, track: Track = silent
) -> tuple[Evaluation, Profile]:
    """`judge_bundle` of the plain look, and the profile of the same answers. Raises like it."""
    sightings: list[Sighting] = []
    judged, _ = judge_bundle(bundle, manifest, data_root, settings, sighted=sightings.append, track=track)
    return judged, take_profile(sightings, bundle.meta.labels)


def judge_bundle(
    bundle: Bundle,
    manifest: Manifest,
    data_root: Path,
    settings: EvalSettings,
    *,
    look: Look = PLAIN,
    sighted: Callable[[Sighting], None] | None = None,
    track: Track = silent,
) -> tuple[Evaluation, float]:
    """Detect in every val picture with ONNX Runtime and evaluate, at the bundle's own thresholds.

    Also the milliseconds of one core per picture for detection: resize, passes, NMS. `sighted` is given what
    a server would count of each picture. Raises BundleError if no class of the bundle is one of the data set.
    """
    meta = bundle.meta
    match = match_classes(manifest, meta.labels, meta.roles)
    pictures = manifest.part("val")
    looked = track(_look(bundle, pictures, data_root, look), "evaluating", len(pictures))
    found, views, seconds, sights = zip(*looked, strict=True)
    if sighted is not None:
        for sight in sights:
            sighted(sight)
    pairs = zip((manifest.ground_truth(picture) for picture in pictures), found, strict=True)
    shipped = Shipped(match.rename(meta.thresholds), meta.threshold_policy)
    judged = match.judge(pairs, views, settings, meta.input_size, shipped=shipped)
    return judged, 1000 * sum(seconds) / len(seconds)


_Seen = tuple[Detections, View, float, Sighting]
"""A picture's detections, its view, the seconds of detection, and what a server would count of it."""


def _look(bundle: Bundle, items: Sequence[ManifestPicture], root: Path, look: Look) -> Iterator[_Seen]:
    # One core per picture is faster than all cores on one after another.
    detector = Detector(bundle, threads=1)
    tasks = (partial(_see, detector, item, root, look) for item in items)
    with closing(run_in_order(tasks, core_count())) as seen:
        yield from seen


def _see(detector: Detector, item: ManifestPicture, root: Path, look: Look) -> _Seen:
    picture = read_reduced(root / item.picture, at_least=look.least_size(detector.meta.input_size))
    view = view_of(item, mean_luma(picture.pixels))
    # The time of this thread, so that other threads and programs do not count.
    started = time.thread_time()
    found = detect_closely(detector, picture.pixels, look, picture.size)
    seconds = time.thread_time() - started
    return found, view, seconds, _sighting(detector, picture, found)


def _sighting(detector: Detector, picture: DecodedPicture, found: Detections) -> Sighting:
    answered = conclude(found, detector.thresholds, rule_of(detector.meta))
    seen = appearance(resize(picture.pixels, detector.meta.input_size))
    return sighting(seen, answered.detections, picture.size, answered.verdict.outcome)
