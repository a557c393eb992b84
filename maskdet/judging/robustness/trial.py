"""A bundle on the val pictures under every condition."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final

import numpy as np

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.detector.answer import answer
from maskdet.detector.bundle import Bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import read_reduced
from maskdet.evaluation.ranking import Scene
from maskdet.judging.class_match import ClassMatch, match_classes
from maskdet.judging.robustness import geometry
from maskdet.judging.robustness.corruptions import CONDITIONS, Condition
from maskdet.judging.robustness.result import Figures, Robustness
from maskdet.progress import Track, silent
from maskdet.system.flow import run_in_order
from maskdet.system.machine import core_count
from maskdet.types import Detections, FloatArray, GroundTruth, Picture

SEED: Final = 0


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A bundle and the pictures that it is tried on, all of val or `most` of it by the hash of their names.

    Raises BundleError if no class of the bundle is one of the data set.
    """

    manifest: Manifest
    detector: Detector
    match: ClassMatch
    pictures: tuple[ManifestPicture, ...]

    @classmethod
    def of(cls, bundle: Bundle, manifest: Manifest, most: int | None = None) -> Trial:
        match = match_classes(manifest, bundle.meta.labels, bundle.meta.roles)
        # One core per picture is faster than all cores on one after another.
        return cls(manifest, Detector(bundle, threads=1), match, _drawn(manifest, most))

    @property
    def thresholds(self) -> FloatArray:
        """[C] by the ids of `match.labels`; 1 for the data's classes that the model lacks."""
        known = self.match.rename(self.detector.meta.thresholds)
        return np.array([known.get(label, 1.0) for label in self.match.labels], np.float32)

    def run(self, *, track: Track = silent) -> Robustness:
        """Detect in every picture, clean and under each condition. Raises DatasetError if no face counts."""
        looked = track(self._look(), "corrupting", len(self.pictures))
        clean, *corrupted = zip(*looked, strict=True)
        rows = zip(CONDITIONS, map(self._figures, corrupted), strict=True)
        return Robustness(len(self.pictures), SEED, self._figures(clean), tuple(rows))

    def picture(self, item: ManifestPicture, condition: Condition | None = None) -> geometry.Scene:
        """The decoded picture under a condition, and its faces in pixels of it."""
        decoded = read_reduced(self.manifest.path(item), at_least=self.detector.meta.input_size)
        (height, width), whole = decoded.pixels.shape[:2], decoded.size
        factors: FloatArray = np.array([width / whole[1], height / whole[0]] * 2, np.float32)
        own = self.manifest.ground_truth(item)
        truth = GroundTruth(own.boxes * factors, own.class_ids, own.difficult)
        if condition is None:
            return decoded.pixels, truth
        return condition.of(decoded.pixels, truth, self.manifest.name(item), SEED)

    def answer(self, pixels: Picture) -> Detections:
        """One label per face at the bundle's thresholds, under the ids of `match.labels`."""
        found: Detections = answer(self.match.remapped(self.detector.detect(pixels)), self.thresholds)
        return found

    def _look(self) -> Iterator[list[Scene]]:
        tasks = (partial(self._see, item) for item in self.pictures)
        with closing(run_in_order(tasks, core_count())) as seen:
            yield from seen

    def _see(self, item: ManifestPicture) -> list[Scene]:
        """What is found in one picture: clean, then under each condition."""
        picture, truth = self.picture(item)
        name = self.manifest.name(item)
        # One at a time: all conditions of a large photograph are more than a gigabyte.
        corrupted = (one.of(picture, truth, name, SEED) for one in CONDITIONS)
        scenes = chain([(picture, truth)], corrupted)
        return [(faces, self.match.remapped(self.detector.detect(pixels))) for pixels, faces in scenes]

    def _figures(self, scenes: Sequence[Scene]) -> Figures:
        return Figures.of(scenes, self.match.labels, self.thresholds, self.match.meanings)


def _drawn(manifest: Manifest, most: int | None) -> tuple[ManifestPicture, ...]:
    val = manifest.part("val")
    if most is None or most >= len(val):
        return val
    ranked = sorted(map(manifest.name, val), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    chosen = set(ranked[:most])
    return tuple(item for item in val if manifest.name(item) in chosen)
