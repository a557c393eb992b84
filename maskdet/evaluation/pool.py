"""All detections of val side by side, so that thresholds can be tried by the thousand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskdet.detector.answer import SAME_FACE_IOU, certainty
from maskdet.detector.iou import INCLUSIVE, Overlaps, pairwise_iou
from maskdet.evaluation.ranking import Scene
from maskdet.types import ANY_CLASS, BoolArray, Detections, FloatArray, IntArray

NO_FACE = -1
MATCH_IOU = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """N detections of all pictures, and M faces.

    found: picture after picture, best score first in each; nearest [N]: the face of any class that the
    detection overlaps most, by more than MATCH_IOU, else NO_FACE; own [N]: the same among faces of its own
    class and of ANY_CLASS; rivals [K, 2]: detections of one picture that count as one face; touching [L, 2]:
    each detection with each face that it overlaps by more than MATCH_IOU.
    """

    found: Detections
    pictures: IntArray
    nearest: IntArray
    own: IntArray
    rivals: IntArray
    touching: IntArray
    face_classes: IntArray
    face_counts: BoolArray
    """[M] False for difficult faces."""
    face_pictures: IntArray

    def answers(self, thresholds: FloatArray) -> BoolArray:
        """[N] the rows that `detector.answer.answer` keeps at thresholds [C]."""
        open_ = self.found.scores >= thresholds[self.found.class_ids]
        kept = np.zeros(len(open_), np.bool_)
        better, worse = self._ordered_rivals(open_, thresholds)
        while open_.any():
            live = open_[better] & open_[worse]
            better, worse = better[live], worse[live]
            beaten = np.zeros(len(open_), np.bool_)
            beaten[worse] = True
            best = open_ & ~beaten
            kept |= best
            open_ &= ~best
            open_[worse[best[better]]] = False
        return kept

    def answered(self, said: BoolArray) -> BoolArray:
        """[M] the faces to which a detection among `said` [N] gives their own label, difficult ones too."""
        marks = np.zeros(len(self.face_classes), np.bool_)
        marks[self.own[said & (self.own != NO_FACE)]] = True
        return marks

    def faces_by_class(self, faces: BoolArray, classes: int) -> IntArray:
        """[C] number of `faces` [M] per class; difficult ones are left out."""
        return np.bincount(self.face_classes[faces & self.face_counts], minlength=classes)

    def shown_by_class(self, said: BoolArray, classes: int) -> IntArray:
        """[C] detections among `said` [N] by their label; those on a difficult face of it are left out."""
        on_face = self.own != NO_FACE
        counting = said.copy()
        counting[on_face] &= self.face_counts[self.own[on_face]]
        return np.bincount(self.found.class_ids[counting], minlength=classes)

    def _ordered_rivals(self, among: BoolArray, thresholds: FloatArray) -> tuple[IntArray, IntArray]:
        weights = certainty(self.found, thresholds)
        one, two = self.rivals[among[self.rivals].all(axis=1)].T
        # Of equal ones the first stays, as in `answer`: rivals are listed with the lower number first.
        first = weights[one] >= weights[two]
        return np.where(first, one, two), np.where(first, two, one)


def pool(scenes: Sequence[Scene], floor: float = 0.0) -> Pool:
    """The pool of scenes whose detections are best first; those below the score `floor` are left out."""
    kept = [(truth, found.select(found.scores >= np.float32(floor))) for truth, found in scenes]
    starts = np.cumsum([0, *(len(found) for _, found in kept)])
    face_starts = np.cumsum([0, *(len(truth) for truth, _ in kept)])
    rows = [_rows(scene, *at) for scene, *at in zip(kept, starts[:-1], face_starts[:-1], strict=True)]
    nearest, own, rivals, touching = (
        np.concatenate(part).astype(np.int64) for part in zip(*rows, strict=True)
    )
    numbers = np.arange(len(kept))
    return Pool(
        found=Detections(
            np.concatenate([found.boxes for _, found in kept]),
            np.concatenate([found.scores for _, found in kept]),
            np.concatenate([found.class_ids for _, found in kept]),
        ),
        pictures=np.repeat(numbers, np.diff(starts)),
        nearest=nearest,
        own=own,
        rivals=rivals,
        touching=touching,
        face_classes=np.concatenate([truth.class_ids for truth, _ in kept]),
        face_counts=np.concatenate([~truth.difficult for truth, _ in kept]),
        face_pictures=np.repeat(numbers, np.diff(face_starts)),
    )


def _rows(scene: Scene, start: int, face_start: int) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    truth, found = scene
    overlaps = pairwise_iou(found.boxes, truth.boxes, INCLUSIVE)
    same_class = (found.class_ids[:, None] == truth.class_ids[None, :]) | (truth.class_ids == ANY_CLASS)
    among = np.triu(pairwise_iou(found.boxes, found.boxes) > SAME_FACE_IOU, k=1)
    return (
        _most_overlapped(overlaps, face_start),
        _most_overlapped(np.where(same_class, overlaps, 0.0), face_start),
        np.argwhere(among) + start,
        np.argwhere(overlaps > MATCH_IOU) + np.array([start, face_start]),
    )


def _most_overlapped(overlaps: Overlaps, face_start: int) -> IntArray:
    if not overlaps.shape[1]:
        return np.full(len(overlaps), NO_FACE)
    best = overlaps.argmax(axis=1) + face_start
    return np.where(overlaps.max(axis=1) > MATCH_IOU, best, NO_FACE)
