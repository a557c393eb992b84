"""Scenes by hand for the tests of evaluation: squares of 10 px that stand 20 px apart, or wider boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskdet.types import Detections, FloatArray, GroundTruth


def boxes(slots: Sequence[float]) -> FloatArray:
    """One square a slot; slot 0.34 is the first one moved by 6.8 px."""
    left = 20.0 * np.array(slots, np.float32)
    return np.stack([left, np.zeros_like(left), left + 10, np.full_like(left, 10)], axis=1).reshape(-1, 4)


def scene(
    faces: Sequence[tuple[float, int, bool]], found: Sequence[tuple[float, int, float]]
) -> tuple[GroundTruth, Detections]:
    """faces: slot, class id, difficult; found: slot, class id, score."""
    slots, class_ids, difficult = zip(*faces, strict=True) if faces else ((), (), ())
    truth = GroundTruth(boxes(slots), np.array(class_ids, np.int64), np.array(difficult, bool))
    slots, class_ids, scores = zip(*found, strict=True) if found else ((), (), ())
    return truth, Detections(boxes(slots), np.array(scores, np.float32), np.array(class_ids, np.int64))


def wide_scene(
    faces: Sequence[tuple[float, int, float]], found: Sequence[tuple[float, int, float, float]]
) -> tuple[GroundTruth, Detections]:
    """faces: slot, class id, width; found: slot, class id, score, width. All are 20 px high, 100 px apart."""
    slots, class_ids, widths = zip(*faces, strict=True) if faces else ((), (), ())
    none = np.zeros(len(faces), bool)
    truth = GroundTruth(_wide_boxes(slots, widths), np.array(class_ids, np.int64), none)
    slots, class_ids, scores, widths = zip(*found, strict=True) if found else ((), (), (), ())
    said = _wide_boxes(slots, widths)
    return truth, Detections(said, np.array(scores, np.float32), np.array(class_ids, np.int64))


def _wide_boxes(slots: Sequence[float], widths: Sequence[float]) -> FloatArray:
    left = 100.0 * np.array(slots, np.float32)
    right = left + np.array(widths, np.float32)
    return np.stack([left, np.zeros_like(left), right, np.full_like(left, 20)], axis=1).reshape(-1, 4)
