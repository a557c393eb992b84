"""Which served pictures are worth a person's look, and which of their faces are in dispute."""

from __future__ import annotations

from typing import Final

import numpy as np

from maskdet.detector.answer import same_face
from maskdet.detector.verdict import MaskRule
from maskdet.types import BoolArray, Detections, FloatArray

NEAR: Final = "near-threshold"
UNCERTAIN: Final = "uncertain"
MODELS: Final = "models-disagree"
MIRROR: Final = "mirror-disagrees"
RANDOM: Final = "random"


def near_threshold(
    candidates: Detections, sure: Detections, thresholds: FloatArray, band: float
) -> BoolArray:
    """[N] which of `candidates` [N] score within `band` of their threshold; thresholds: [C].

    A candidate below its threshold does not count if a face of the answer `sure` covers it, nor one above
    that is not in the answer: either is another word on a face that is decided.
    """
    own = thresholds[candidates.class_ids]
    near: BoolArray = np.abs(candidates.scores - own) <= np.float32(band)
    if not near.any():
        return near
    settled = (candidates.scores < own) & same_face(candidates, sure).any(axis=1)
    lost = (candidates.scores >= own) & ~_among(candidates, sure)
    return near & ~settled & ~lost


def doubtful(candidates: Detections, sure: Detections, thresholds: FloatArray, rule: MaskRule) -> BoolArray:
    """[N] which of `candidates` [N] make the verdict `uncertain`: see `MaskRule.judge`."""
    near = near_threshold(candidates, sure, thresholds, rule.band)
    unknown = np.array([label in rule.unknown for label in rule.labels], np.bool_)
    below = candidates.scores < thresholds[candidates.class_ids]
    doubts: BoolArray = (near & below) | (unknown[candidates.class_ids] & _among(candidates, sure))
    return doubts


def disagreement(
    one: Detections, other: Detections, labels: tuple[str, ...], other_labels: tuple[str, ...]
) -> tuple[BoolArray, BoolArray]:
    """Which faces of two answers have no counterpart with the same label in the other: [N] and [M]."""
    names = np.array([labels[number] for number in one.class_ids], object)
    others = np.array([other_labels[number] for number in other.class_ids], object)
    agreed = same_face(one, other) & (names[:, None] == others[None, :])
    return ~agreed.any(axis=1), ~agreed.any(axis=0)


def _among(candidates: Detections, sure: Detections) -> BoolArray:
    """[N] which candidates are in the answer, whose rows are among theirs."""
    keys = {_key(sure, row) for row in range(len(sure))}
    return np.array([_key(candidates, row) in keys for row in range(len(candidates))], np.bool_)


def _key(found: Detections, row: int) -> tuple[float, ...]:
    return (float(found.scores[row]), float(found.class_ids[row]), *map(float, found.boxes[row]))
