"""The data that the packages exchange: frozen, typed, with shapes and units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Picture = NDArray[np.uint8]
"""Decoded picture: uint8 [height, width, 3], RGB, EXIF orientation already applied."""

Box = tuple[float, float, float, float]
"""(xmin, ymin, xmax, ymax) in pixels."""


ANY_CLASS: Final = -1
"""Class id of a face to ignore whatever a model says there: detections of every class may claim it."""


def box_of(edges: Iterable[float]) -> Box:
    """From four numbers, such as a row of an array."""
    left, top, right, bottom = edges
    return left, top, right, bottom


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """One `<object>` of an annotation.

    `label` is "" if it has no name, `box` as written in the file, `line` the line of the `<object>` element
    (1-based), `number` its place among the objects of the file (1-based).
    """

    label: str
    box: Box
    difficult: bool
    line: int
    number: int


@dataclass(frozen=True, slots=True)
class Annotation:
    """A Pascal VOC file, read. `width` and `height` are what the file claims, 0 if it claims none."""

    path: Path
    filename: str
    width: int
    height: int
    objects: tuple[LabelledBox, ...]


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The labelled faces of a picture: boxes [M, 4] float32 xyxy in pixels, class ids [M], difficult [M].

    A face of ANY_CLASS is difficult.
    """

    boxes: FloatArray
    class_ids: IntArray
    difficult: BoolArray

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, slots=True)
class Detections:
    """What a model finds in one picture, best score first.

    boxes: [N, 4] float32 xyxy in pixels of the original picture (after its EXIF turn);
    scores: [N] float32 in 0..1; class_ids: [N] int64, an index into the bundle's labels.
    """

    boxes: FloatArray
    scores: FloatArray
    class_ids: IntArray

    @classmethod
    def empty(cls) -> Detections:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.boxes)

    def select(self, keep: BoolArray | IntArray) -> Detections:
        """The rows selected by a mask [N] or an index array."""
        return Detections(self.boxes[keep], self.scores[keep], self.class_ids[keep])

    def above(self, thresholds: FloatArray) -> Detections:
        """The rows whose score reaches the threshold of their class; thresholds: [C]."""
        return self.select(self.scores >= thresholds[self.class_ids])
