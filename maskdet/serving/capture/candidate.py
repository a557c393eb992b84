"""An answer that may be worth a person's look, and what of it is in dispute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maskdet.detector.answer import answer
from maskdet.inbox.policy import near_threshold
from maskdet.inbox.record import ProposedFace
from maskdet.serving.engine.served_model import PictureResult, Work
from maskdet.types import BoolArray, Box, Detections


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answered picture, why it may be captured, and its camera."""

    work: Work
    result: PictureResult
    why: str
    camera: str

    @property
    def size(self) -> int:
        """Bytes of the picture as it was sent."""
        source = self.work.source
        return len(source) if isinstance(source, bytes) else source.nbytes


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a picture is captured, its faces, and the boxes of the faces that are not in dispute."""

    why: str
    faces: list[ProposedFace]
    settled: list[Box]


def sure(result: PictureResult) -> Detections:
    """The whole answer, whatever number of faces the client asked for."""
    return answer(result.candidates, result.thresholds)


def near(result: PictureResult, band: float) -> BoolArray:
    """Which candidates of a result are close to their thresholds: see `near_threshold`."""
    return near_threshold(result.candidates, sure(result), result.thresholds, band)


def finding(
    why: str, result: PictureResult, disputed: Detections, others: Sequence[ProposedFace] = ()
) -> Finding:
    """The answer's faces with the `disputed` ones marked, also those that the answer does not have.

    others: disputed faces that another pass found.
    """
    labels = result.model.meta.labels
    marked = proposed(disputed, labels, disputed=True)
    boxes = {face.box for face in marked}
    plain = [face for face in proposed(sure(result), labels) if face.box not in boxes]
    settled = [face.box for face in proposed(result.candidates, labels) if face.box not in boxes]
    return Finding(why, [*marked, *others, *plain], settled)


def proposed(found: Detections, labels: Sequence[str], *, disputed: bool = False) -> list[ProposedFace]:
    """Detections as an inbox keeps them."""
    rows = zip(found.boxes.tolist(), found.scores.tolist(), found.class_ids.tolist(), strict=True)
    return [
        ProposedFace(label=labels[number], box=tuple(box), score=round(score, 4), disputed=disputed)
        for box, score, number in rows
    ]
