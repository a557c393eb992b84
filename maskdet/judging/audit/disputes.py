"""Where a model's answer in one picture contradicts the labels, and where it confirms them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from maskdet.detector.answer import answer
from maskdet.detector.iou import Overlaps, pairwise_iou
from maskdet.types import Detections, FloatArray, GroundTruth

Kind = Literal["missing", "swapped", "misplaced"]
KINDS: Final[tuple[Kind, ...]] = ("missing", "swapped", "misplaced")

_SAME_FACE: Final = 0.5
"""IoU over which a detection and a label are of one face."""
_TOUCHING: Final = 0.1
"""IoU from which a detection and a label that have no better partner may be of one face, badly placed."""

_WELL_PLACED: Final = 0.7
"""IoU from which two boxes of a face differ by taste: nine of ten agree better in a careful set."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """One detection that is not in the labels as it is.

    `truth` is the row of the label that it contradicts, None if it overlaps none that is its own; `said` the
    row of the detection in the answer; `overlap` their IoU, or that with the nearest label; `own_score` the
    model's best score for the label's class on this face, 0 if there is none.
    """

    kind: Kind
    truth: int | None
    said: int
    overlap: float
    own_score: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The model's answer in a picture, its disputes, and (class id, score) of the labels it confirms."""

    answer: Detections
    disputes: tuple[Dispute, ...]
    confirmed: tuple[tuple[int, float], ...]


def compare(truth: GroundTruth, found: Detections, thresholds: FloatArray) -> Comparison:
    """`found` are all candidates under the data's class ids; thresholds [C] decide what counts as said.

    Difficult labels are not disputed: they are known to be doubtful. They do cover their faces.
    """
    said = answer(found, thresholds)
    overlaps = pairwise_iou(said.boxes, truth.boxes)
    all_overlaps = pairwise_iou(found.boxes, truth.boxes)
    own = np.array([_own_score(row, truth, found, all_overlaps) for row in range(len(truth))])
    disputes = tuple(_disputes(truth, said, overlaps, own))
    confirmed = tuple((int(truth.class_ids[row]), float(own[row])) for row in np.flatnonzero(own > 0))
    return Comparison(said, disputes, confirmed)


def _own_score(row: int, truth: GroundTruth, found: Detections, overlaps: Overlaps) -> float:
    own = (found.class_ids == truth.class_ids[row]) & (overlaps[:, row] > _SAME_FACE)
    return float(found.scores[own].max(initial=0.0))


def _disputes(truth: GroundTruth, said: Detections, overlaps: Overlaps, own: Overlaps) -> Iterator[Dispute]:
    for row in range(len(said)):
        face = int(overlaps[row].argmax()) if len(truth) else 0
        overlap = float(overlaps[row, face]) if len(truth) else 0.0
        partners = overlap >= _TOUCHING and int(overlaps[:, face].argmax()) == row
        if not partners:
            if overlap < _SAME_FACE:
                yield Dispute("missing", None, row, overlap, 0.0)
        elif truth.difficult[face]:
            continue
        elif truth.class_ids[face] != said.class_ids[row]:
            yield Dispute("swapped", face, row, overlap, float(own[face]))
        elif overlap < _WELL_PLACED:
            yield Dispute("misplaced", face, row, overlap, float(own[face]))
