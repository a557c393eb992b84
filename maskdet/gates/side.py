"""A model on the pictures of val that count: its figures, and their parts by picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from maskdet.dataset.manifest import Manifest
from maskdet.detector.bundle import Bundle
from maskdet.errors import UsageError
from maskdet.evaluation.class_match import of_known_classes
from maskdet.evaluation.evaluator import checked_scenes, evaluate
from maskdet.evaluation.intervals import Weights, resampled_ap, resampled_coco_ap
from maskdet.evaluation.pool import Pool, pool
from maskdet.evaluation.ranking import Curve, Scene, of_class, rank_coco
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.safety import Parts, called, faces_of, false_alarms
from maskdet.evaluation.slices import BINS, Bins, Slicer
from maskdet.evaluation.views import View
from maskdet.judging.bundles import SeenVal, see_val
from maskdet.progress import Track, silent
from maskdet.types import BoolArray, FloatArray, IntArray
from maskdet.wording.names import write_instead

WIDER: Final = ">16"
"""The slice of the faces that are wide enough to be judged, beside the bins of an evaluation."""
AXES: Final[dict[str, Bins]] = {**BINS, "face_pixels": (*BINS["face_pixels"], (WIDER, 16, np.inf))}


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two models. The first labels are the data's, in the order of its class ids.

    said [N]: which detections of `pool` are the answer at the model's own thresholds; `ap50` and `ap50_95`:
    one curve [R] for each of the data's classes, over the same resamples of val for both models.
    """

    bundle: Bundle
    judged: Evaluation
    scenes: Sequence[Scene]
    views: Sequence[View]
    pool: Pool
    said: BoolArray
    scores: FloatArray
    parts: Parts
    classes: tuple[str, ...]
    """The data's labels that the model has."""
    ap50: tuple[Curve, ...]
    ap50_95: tuple[Curve, ...]
    collections: tuple[str, ...]
    """Those of the data, of which the pictures that count may have none."""

    @classmethod
    def of(cls, bundle: Bundle, manifest: Manifest, weights: Weights, *, track: Track = silent) -> Side:
        """Detect in val and evaluate at the bundle's own thresholds. Raises like `see_val` and `evaluate`."""
        seen = see_val(bundle, manifest, track=track)
        return cls.seen(bundle, seen, manifest.labels, weights, manifest.collections)

    @classmethod
    def seen(
        cls,
        bundle: Bundle,
        seen: SeenVal,
        labels: Sequence[str],
        weights: Weights,
        collections: tuple[str, ...] = (),
    ) -> Side:
        """Evaluate what a bundle has found; labels and collections are the data's. Raises like `evaluate`."""
        match = seen.match
        scenes = checked_scenes(((truth, match.remapped(found)) for truth, found in seen.pairs), match.labels)
        judged = evaluate(scenes, match.labels, thresholds=match.rename(bundle.meta.thresholds))
        scores = np.array(list(judged.thresholds.values()), np.float32)
        everything = pool(scenes, float(scores.min()))
        own = range(len(labels))
        return cls(
            bundle=bundle,
            judged=of_known_classes(judged, match.meanings.partners),
            scenes=scenes,
            views=seen.views,
            pool=everything,
            said=everything.answers(scores),
            scores=scores,
            parts=Parts.of(match.meanings.roles, match.labels),
            classes=tuple(name for name in labels if match.meanings.partners[name] is not None),
            ap50=tuple(
                resampled_ap(judged.classes[number].ranking, _faces(everything, number, len(scenes)), weights)
                for number in own
            ),
            ap50_95=tuple(_coco(scenes, number, weights) for number in own),
            collections=collections,
        )

    @property
    def right(self) -> BoolArray:
        """[M] the faces that the answer gives their own label."""
        return self.pool.answered(self.said)

    @property
    def bare(self) -> BoolArray:
        """[M] the bare faces that count."""
        return faces_of(self.pool, self.parts.bare)

    @property
    def passed(self) -> BoolArray:
        """[M] the bare faces that the answer calls masked."""
        return called(self.pool, self.said, self.parts.masked) & self.bare

    def of_label(self, label: str) -> BoolArray:
        """[M] the faces of a label that count."""
        number = list(self.judged.thresholds).index(label)
        return faces_of(self.pool, np.array([number], np.int64))

    def faces(self, marks: BoolArray) -> IntArray:
        """[P] how many of the faces marked [M] each picture has."""
        return np.bincount(self.pool.face_pictures[marks], minlength=len(self.scenes))

    def alarms(self) -> IntArray:
        """[P] the answer's detections that are on no labelled face."""
        rows = false_alarms(self.pool, self.said)
        return np.bincount(self.pool.pictures[rows], minlength=len(self.scenes))

    def in_slice(self, key: str, ruler: tuple[int, int]) -> BoolArray:
        """[M] the faces of the model's classes that count in a slice, see `bin_of` and `slicer`."""
        return self.slicer(ruler).faces_inside(*self.bin_of(key, "gates.slices"))

    def bin_of(self, key: str, setting: str) -> tuple[str, float, float]:
        """Axis and ends of a slice, by its name such as face_pixels.>16. Raises UsageError."""
        axes = self.slicer(self.bundle.meta.input_size).all_axes(AXES)
        known = {f"{axis}.{one[0]}": (axis, *one[1:]) for axis, bins in axes.items() for one in bins}
        if key not in known:
            raise UsageError(f"{setting}: there is no slice {key}", write_instead(key, known))
        return known[key]

    def slicer(self, ruler: tuple[int, int]) -> Slicer:
        """The slices of val; widths of faces are those at a network input of the size `ruler`."""
        known = {name: number for number, name in enumerate(self.judged.thresholds) if name in self.classes}
        return Slicer(
            self.scenes, self.views, ruler, self.pool, self.scores, self.parts, known, self.collections
        )


def _faces(everything: Pool, class_id: int, pictures: int) -> IntArray:
    rows = everything.face_counts & (everything.face_classes == class_id)
    return np.bincount(everything.face_pictures[rows], minlength=pictures)


def _coco(scenes: Sequence[Scene], class_id: int, weights: Weights) -> Curve:
    own = of_class(scenes, class_id)
    faces = np.array([int((~truth.difficult).sum()) for truth, _ in own], np.int64)
    by_iou = [resampled_coco_ap(ranking, faces, weights) for ranking in rank_coco(own)]
    means: Curve = np.mean(by_iou, axis=0)
    return means
