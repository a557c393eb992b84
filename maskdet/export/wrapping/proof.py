"""The proof that a bundle answers as PaddleDetection's documented steps do, on the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from maskdet.detector.bundle import Bundle
from maskdet.detector.detector import Detector
from maskdet.detector.preprocess import to_batch
from maskdet.errors import BundleError, ExportError
from maskdet.export.comparison import largest, partners
from maskdet.export.wrapping.infer_config import InferConfig
from maskdet.export.wrapping.original import Original
from maskdet.export.wrapping.reference import before_nms, detections, prepared
from maskdet.types import Picture

SCORE_TOLERANCE: Final = 1e-3
BOX_TOLERANCE: Final = 0.05
"""In pixels of the network input."""
_SHARED: Final = "`maskdet inspect FILE` says what the file seems to be"
_FREE_BATCH: Final = (
    "export it with TestReader.inputs_def.image_shape=[3,H,W], which leaves the batch size free"
)
_LEAST_MATCHED: Final = 0.98
"""Share of the detections: boxes with nearly equal scores may swap and suppress each other."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Largest differences over all pictures, boxes in pixels of the network input.

    Scores of all `anchors` are compared, and the boxes of those that enter NMS; then the `detections` of both
    sides, of which `matched` have a partner of the same class on the other; then one batch of all pictures
    with one after another.
    """

    pictures: int
    anchors: int
    score_difference: float
    box_difference: float
    detections: int
    matched: int
    batch_difference: float

    def describe(self) -> str:
        """What was compared, and how close it is."""
        found = (
            f"all {self.detections} detections have a partner"
            if self.matched == self.detections
            else f"{self.matched} of {self.detections} detections have a partner"
        )
        return (
            f"{self.pictures} pictures, {self.anchors} anchors: scores within {self.score_difference:.1g}, "
            f"boxes within {self.box_difference:.1g} px; {found if self.detections else 'no detections'}"
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def require(self) -> None:
        """Raises ExportError if anything is beyond tolerance."""
        # Written this way round since NaN is within no tolerance.
        near = self.score_difference <= SCORE_TOLERANCE and self.box_difference <= BOX_TOLERANCE
        if not near or self.matched < _LEAST_MATCHED * self.detections:
            raise ExportError(
                f"the bundle and PaddleDetection's postprocessing disagree: {self.describe()} (allowed "
                f"{SCORE_TOLERANCE:g} and {BOX_TOLERANCE:g} px)",
                "check that infer_cfg.yml is that of this model; nothing was written",
            )
        if not self.batch_difference <= SCORE_TOLERANCE:
            raise ExportError(
                f"the graph answers pictures of a batch otherwise than one by one: by "
                f"{self.batch_difference:.2g}",
                _FREE_BATCH,
            )


def prove(bundle: Bundle, original: Original, config: InferConfig, pictures: Sequence[Picture]) -> Proof:
    """Run both on the pictures. Raises ExportError if one of them does not run."""
    tensors = [_compare(bundle, original, config, picture) for picture in pictures]
    anchors, scores, boxes = zip(*tensors, strict=True)
    detector = Detector(bundle, threads=1)
    counts = np.full(len(bundle.meta.labels), _least(original, config), np.float32)
    matched, total = 0, 0
    for picture in pictures:
        pair = detector.detect(picture), detections(original, picture, config)
        for some, others in (pair, pair[::-1]):
            counting = some.above(counts)
            total += len(counting)
            matched += len(partners(counting, others))
    # Unlike Python's, NumPy's maximum is NaN if one of them is.
    worst = float(np.max(scores)), float(np.max(boxes))
    return Proof(len(pictures), sum(anchors), *worst, total, matched, _batched(bundle, pictures))


def _compare(
    bundle: Bundle, original: Original, config: InferConfig, picture: Picture
) -> tuple[int, float, float]:
    """The number of anchors, and the largest differences of their scores and boxes."""
    boxes, scores = _raw(bundle, picture)
    own_boxes, own_scores = before_nms(original, prepared(picture, config)[0], config)
    if boxes.shape != own_boxes.shape or scores.shape != own_scores.shape:
        raise ExportError(f"the bundle returns scores {scores.shape}, the graph {own_scores.shape}", _SHARED)
    if own_scores.min(initial=0) < 0 or own_scores.max(initial=0) > 1:
        raise ExportError("the graph's scores are not between 0 and 1, so this is not a PicoDet", _SHARED)
    enters = np.maximum(scores, own_scores).max(axis=1) >= bundle.meta.nms.score_threshold
    return len(enters), largest(scores, own_scores), largest(boxes[enters], own_boxes[enters])


def _least(original: Original, config: InferConfig) -> float:
    """Both sides have all detections from here on, whatever rounding does at the threshold itself."""
    inside = original.export.inside
    return (inside or config.nms).score_threshold + SCORE_TOLERANCE


def _raw(bundle: Bundle, picture: Picture) -> tuple[Any, Any]:
    boxes, scores = _run(bundle, [picture])
    return boxes[0], scores[0]


def _batched(bundle: Bundle, pictures: Sequence[Picture]) -> float:
    # At least two, however few pictures there are.
    several = [*pictures, pictures[0]]
    one_by_one = np.stack([_raw(bundle, picture)[1] for picture in several])
    return largest(_run(bundle, several)[1], one_by_one)


def _run(bundle: Bundle, pictures: Sequence[Picture]) -> tuple[Any, Any]:
    batch = to_batch(pictures, bundle.meta.input_size, bundle.meta.interpolation)
    try:
        return bundle.session.run(batch)
    except BundleError as error:
        raise ExportError(
            f"the graph does not take a batch of {len(batch)}: {error.what}",
            _FREE_BATCH,
        ) from error
