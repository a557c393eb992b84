"""A bundle evaluated on the val part, by the same evaluator as checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.detector.brightness import mean_luma
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
from maskdet.evaluation.policies.compared import Shipped
from maskdet.evaluation.ranking import Scene
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.views import View
from maskdet.judging.class_match import ClassMatch, match_classes
from maskdet.judging.views import grouped, view_of
from maskdet.progress import Track, silent
from maskdet.system.flow import run_in_order
from maskdet.system.machine import core_count, thread_clock
from maskdet.types import Detections


def survey_bundle(
    bundle: Bundle, manifest: Manifest, settings: EvalSettings, *, track: Track = silent
) -> tuple[Evaluation, Profile]:
    """`judge_bundle` of the plain look, and the profile of the same answers. Raises like it."""
    seen = see_val(bundle, manifest, track=track)
    return judge_seen(seen, bundle, settings), take_profile(seen.sightings, bundle.meta.labels)


def judge_bundle(
    bundle: Bundle,
    manifest: Manifest,
    settings: EvalSettings,
    *,
    look: Look = PLAIN,
    track: Track = silent,
) -> tuple[Evaluation, float]:
    """Detect in every val picture with ONNX Runtime and evaluate, at the bundle's own thresholds.

    Also the milliseconds of one core per picture for detection: resize, passes, NMS.
    Raises BundleError if no class of the bundle is one of the data set.
    """
    seen = see_val(bundle, manifest, look=look, track=track)
    return judge_seen(seen, bundle, settings), seen.milliseconds


@dataclass(frozen=True, slots=True, eq=False)
class SeenVal:
    """What a bundle finds in the val pictures, in their order.

    pairs: detections under the model's own class ids, see `match`; sightings: what a server would count of
    each picture; milliseconds: of one core per picture, for resize, passes and NMS.
    """

    match: ClassMatch
    pairs: tuple[Scene, ...]
    views: tuple[View, ...]
    sightings: tuple[Sighting, ...]
    milliseconds: float


def see_val(bundle: Bundle, manifest: Manifest, *, look: Look = PLAIN, track: Track = silent) -> SeenVal:
    """Detect in every val picture with ONNX Runtime. Raises BundleError if no class of the bundle is one of
    the data set.
    """
    match = match_classes(manifest, bundle.meta.labels, bundle.meta.roles)
    pictures = manifest.part("val")
    looked = track(_look(bundle, manifest, pictures, look), "evaluating", len(pictures))
    found, views, seconds, sightings = zip(*looked, strict=True)
    pairs = zip((manifest.ground_truth(picture) for picture in pictures), found, strict=True)
    known = grouped(views, pictures)
    return SeenVal(match, tuple(pairs), known, sightings, 1000 * sum(seconds) / len(seconds))


def judge_seen(seen: SeenVal, bundle: Bundle, settings: EvalSettings) -> Evaluation:
    """Evaluate what a bundle has found, at its own thresholds."""
    meta = bundle.meta
    shipped = Shipped.of(meta, seen.match.rename(meta.thresholds))
    return seen.match.judge(seen.pairs, seen.views, settings, meta.input_size, shipped=shipped)


_Seen = tuple[Detections, View, float, Sighting]
"""A picture's detections, its view, the seconds of detection, and what a server would count of it."""


def _look(
    bundle: Bundle, manifest: Manifest, items: Sequence[ManifestPicture], look: Look
) -> Iterator[_Seen]:
    # One core per picture is faster than all cores on one after another.
    detector = Detector(bundle, threads=1)
    tasks = (partial(_see, detector, manifest, item, look) for item in items)
    with closing(run_in_order(tasks, core_count())) as seen:
        yield from seen


def _see(detector: Detector, manifest: Manifest, item: ManifestPicture, look: Look) -> _Seen:
    picture = read_reduced(manifest.path(item), at_least=look.least_size(detector.meta.input_size))
    view = view_of(manifest, item, mean_luma(picture.pixels))
    clock = thread_clock()
    started = clock()
    found = detect_closely(detector, picture.pixels, look, picture.size)
    seconds = clock() - started
    return found, view, seconds, _sighting(detector, picture, found)


def _sighting(detector: Detector, picture: DecodedPicture, found: Detections) -> Sighting:
    answered = conclude(found, detector.thresholds, rule_of(detector.meta))
    seen = appearance(resize(picture.pixels, detector.meta.input_size, detector.meta.interpolation))
    return sighting(seen, answered.detections, picture.size, answered.verdict.outcome)
