"""Figures for parts of val: faces of one size, pictures by number of faces, by brightness, by collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from maskdet.detector.iou import INCLUSIVE, pairwise_iou
from maskdet.evaluation.average_precision import integral_ap
from maskdet.evaluation.pool import MATCH_IOU, Pool
from maskdet.evaluation.ranking import Scene, of_class, rank_voc
from maskdet.evaluation.rounding import rounded
from maskdet.evaluation.safety import Parts, Rate, called, faces_of, share
from maskdet.evaluation.views import View, network_widths
from maskdet.types import BoolArray, FloatArray, GroundTruth

FEWEST_FACES: Final = 10
"""Faces of a class needed in a slice for an AP."""
Bins = tuple[tuple[str, float, float], ...]
"""Name, lower end (exclusive), upper end (inclusive)."""
BINS: Final[dict[str, Bins]] = {
    "face_pixels": (("<=8", -1, 8), ("8-16", 8, 16), ("16-32", 16, 32), (">32", 32, np.inf)),
    "faces_per_picture": (("1", 0, 1), ("2-5", 1, 5), ("6-15", 5, 15), (">15", 15, np.inf)),
    "brightness": (("dark", -1, 85), ("medium", 85, 140), ("bright", 140, 255)),
}
"""Width of a face in pixels at network scale; labelled faces in the picture; mean luma of the picture."""
COLLECTION: Final = "collection"
"""The axis of the data set's roots, of a val that has pictures of several."""


@dataclass(frozen=True, slots=True)
class ClassSlice:
    """One class in a slice. AP50 is None with fewer than FEWEST_FACES faces, recall with none."""

    faces: int
    found: int
    ap50: float | None

    @property
    def recall(self) -> float | None:
        return self.found / self.faces if self.faces else None

    def to_json(self) -> dict[str, Any]:
        return {
            "faces": self.faces,
            "found": self.found,
            "recall": rounded(self.recall),
            "ap50": rounded(self.ap50),
        }


@dataclass(frozen=True, slots=True)
class Slice:
    """`axis` is a key of BINS or COLLECTION, `name` that of its bin; classes by label; recall at thresholds.

    `bare_passed` is None if no label has the role bare, or none masked.
    """

    axis: str
    name: str
    pictures: int
    classes: dict[str, ClassSlice]
    bare_passed: Rate | None

    @property
    def faces(self) -> int:
        return sum(each.faces for each in self.classes.values())

    @property
    def recall(self) -> float | None:
        return sum(each.found for each in self.classes.values()) / self.faces if self.faces else None

    def to_json(self) -> dict[str, Any]:
        passed = {} if self.bare_passed is None else {"bare_passed": self.bare_passed.to_json()}
        classes = {label: each.to_json() for label, each in self.classes.items()}
        return {
            "pictures": self.pictures,
            "faces": self.faces,
            "recall": rounded(self.recall),
            **passed,
            "classes": classes,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Slicer:
    """Val, prepared for slicing: scenes best first, `pool` of detections, faces correct at thresholds."""

    scenes: Sequence[Scene]
    views: Sequence[View]
    input_size: tuple[int, int]
    pool: Pool
    thresholds: FloatArray
    parts: Parts
    known: Mapping[str, int]
    """Class ids of the labels that the model has; faces of others are in no slice."""
    collections: Sequence[str] = ()
    """Those that are slices also where val has no picture of them."""

    def cut(self, axes: Mapping[str, Bins] = BINS) -> list[Slice]:
        """All slices of `all_axes`."""
        said = self.pool.answers(self.thresholds)
        right = self.pool.answered(said)
        passed = called(self.pool, said, self.parts.masked)
        cut = self.all_axes(axes).items()
        return [self._slice(axis, one, right, passed) for axis, bins in cut for one in bins]

    def all_axes(self, axes: Mapping[str, Bins] = BINS) -> dict[str, Bins]:
        """The given axes, then the collections if there are several."""
        collections = tuple((name, at - 1, at) for name, at in self._collections.items())
        return {**axes, COLLECTION: collections} if len(collections) > 1 else dict(axes)

    def faces_inside(self, axis: str, low: float, high: float) -> BoolArray:
        """[M] the faces of the known classes that count and are in the slice of a bin."""
        inside: BoolArray = np.concatenate([faces for _, faces in self._inside(axis, low, high)])
        return inside & faces_of(self.pool, np.array(list(self.known.values()), np.int64))

    @property
    def _collections(self) -> dict[str, int]:
        """A number for each collection, those of val in the order of its first picture."""
        names = dict.fromkeys([*self.collections, *(view.collection for view in self.views)])
        return {name: at for at, name in enumerate(names)}

    def _slice(self, axis: str, one: tuple[str, float, float], right: BoolArray, passed: BoolArray) -> Slice:
        name, low, high = one
        cut = list(self._inside(axis, low, high))
        inside = np.concatenate([faces for _, faces in cut]) & self.pool.face_counts
        scenes = [scene for scene, _ in cut if scene is not None]
        bare = faces_of(self.pool, self.parts.bare) & inside
        return Slice(
            axis=axis,
            name=name,
            pictures=len(np.unique(self.pool.face_pictures[inside])),
            classes={
                label: self._of_class(number, scenes, inside, right) for label, number in self.known.items()
            },
            bare_passed=share(passed, bare) if self.parts.decide_bare else None,
        )

    def _of_class(
        self, number: int, scenes: Sequence[Scene], inside: BoolArray, right: BoolArray
    ) -> ClassSlice:
        faces = inside & (self.pool.face_classes == number)
        count = int(faces.sum())
        ap50 = integral_ap(rank_voc(of_class(scenes, number))) if count >= FEWEST_FACES else None
        return ClassSlice(count, int((faces & right).sum()), ap50)

    def _inside(self, axis: str, low: float, high: float) -> Iterator[tuple[Scene | None, BoolArray]]:
        """For each picture its part of the slice, None if it has none, and which faces are inside."""
        for scene, view in zip(self.scenes, self.views, strict=True):
            truth = scene[0]
            if axis == "face_pixels":
                yield _of_width(scene, view, self.input_size, low, high)
                continue
            within = low < self._value(axis, scene, view) <= high
            yield scene if within else None, np.full(len(truth), within)

    def _value(self, axis: str, scene: Scene, view: View) -> float:
        if axis == COLLECTION:
            return self._collections[view.collection]
        return view.luma if axis == "brightness" else len(scene[0])


def _of_width(
    scene: Scene, view: View, input_size: tuple[int, int], low: float, high: float
) -> tuple[Scene, BoolArray]:
    """Other faces become difficult; detections of other widths are dropped unless on a face inside."""
    truth, found = scene
    widths = network_widths(truth.boxes, view, input_size)
    inside: BoolArray = (widths > low) & (widths <= high)
    own = network_widths(found.boxes, view, input_size)
    on_face = pairwise_iou(found.boxes, truth.boxes[inside], INCLUSIVE) > MATCH_IOU
    kept = ((own > low) & (own <= high)) | on_face.any(axis=1)
    ignoring = GroundTruth(truth.boxes, truth.class_ids, truth.difficult | ~inside)
    return (ignoring, found.select(kept)), inside
