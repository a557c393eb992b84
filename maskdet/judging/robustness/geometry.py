"""Corruptions that move pixels: a turned and a tilted picture, and the boxes with them."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.types import FloatArray, GroundTruth, Picture

_BEYOND: Final = (114, 114, 114)
"""RGB of the area beyond the picture."""
_POINTS: Final = 64
_LEAST_INSIDE: Final = 0.5
"""A face of which less is left in the picture is difficult: neither finding nor missing it counts."""
_SHEAR: Final = 0.5
"""Sideways lean of a tilted picture, for each unit of perspective."""

Scene = tuple[Picture, GroundTruth]
Matrix = NDArray[np.float64]
"""[3, 3] homography from pixels to pixels."""


def rotated(picture: Picture, truth: GroundTruth, degrees: float, rng: np.random.Generator) -> Scene:
    """Turned about its centre by so many degrees, to a random side; the canvas stays as large as it is."""
    height, width = picture.shape[:2]
    side = degrees if rng.random() < 0.5 else -degrees
    turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), side, 1.0), [0, 0, 1]])
    return warped(picture, truth, turn)


def tilted(picture: Picture, truth: GroundTruth, share: float, rng: np.random.Generator) -> Scene:
    """Seen from an angle: one side is shorter by `share`, and the picture leans by half as much."""
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    short, lean = share * height / 2, share * _SHEAR * width / 2
    moved = corners + np.array([[lean, 0], [lean, short], [-lean, -short], [-lean, 0]], np.float32)
    if rng.random() < 0.5:
        moved = moved[[1, 0, 3, 2]] * (-1, 1) + np.array([width, 0])
    homography = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return warped(picture, truth, homography.astype(np.float64))


def warped(picture: Picture, truth: GroundTruth, matrix: Matrix) -> Scene:
    """The picture through a homography, and its faces: faces that leave the picture are dropped."""
    height, width = picture.shape[:2]
    pixels = cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=_BEYOND
    )
    whole = _moved(truth.boxes, matrix)
    boxes = np.clip(whole, 0, np.array([width, height] * 2, np.float32))
    left = _areas(boxes) / np.maximum(_areas(whole), 1e-6)
    kept = left > 0
    difficult = truth.difficult | (left < _LEAST_INSIDE)
    return pixels.astype(np.uint8), GroundTruth(boxes[kept], truth.class_ids[kept], difficult[kept])


def _moved(boxes: FloatArray, matrix: Matrix) -> FloatArray:
    """The boxes around the moved ellipses inside boxes [N, 4]: a face is round, so that those around the
    moved corners would be too large.
    """
    turn = np.linspace(0, 2 * np.pi, _POINTS, endpoint=False)
    centres, halves = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    points = centres[:, None] + halves[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    flat = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=2) @ matrix.T
    placed = flat[..., :2] / flat[..., 2:]
    found: FloatArray = np.concatenate([placed.min(axis=1), placed.max(axis=1)], axis=1).astype(np.float32)
    return found.reshape(-1, 4)


def _areas(boxes: FloatArray) -> FloatArray:
    areas: FloatArray = np.maximum(boxes[:, 2:] - boxes[:, :2], 0).prod(axis=1)
    return areas
