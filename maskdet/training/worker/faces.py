"""Faces cut from training pictures and pasted into others. Worker side, but without Paddle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.errors import PictureError
from maskdet.training.worker.picture_store import LostPictures, PictureStore
from maskdet.types import FloatArray, Picture

_MARGIN = 0.25
"""Context around the box that is pasted with it, as a share of its sides."""
_LEAST_SIDE = 12.0
"""Pixels: smaller faces are too blurred to be worth pasting."""
_SCALES = (0.5, 1.5)
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Face:
    """The location of a face: picture file, xyxy box in its pixels, class id.

    `weight` is that of its root: how often an epoch shows its picture.
    """

    file: Path
    box: FloatArray
    class_id: int
    weight: float = 1.0


class FaceBank:
    """All faces of the train part that are large enough; a class is drawn in proportion to the square root of
    its count, a face of it in proportion to its weight. Weighted faces count by their weight.

    Rare classes come up more often than in the pictures, but most pasted faces are still of the common class:
    the seam of a pasted face must not reveal that it is a rare one.
    """

    def __init__(self, faces: Sequence[Face], store: PictureStore, lost: LostPictures) -> None:
        self._store, self._lost = store, lost
        large = [face for face in faces if min(face.box[2:] - face.box[:2]) >= _LEAST_SIDE]
        classes = sorted({face.class_id for face in large})
        self._by_class = [[face for face in large if face.class_id == number] for number in classes]
        weights = [np.array([face.weight for face in some]) for some in self._by_class]
        self._odds = [each / each.sum() for each in weights]
        roots = np.sqrt([each.sum() for each in weights])
        self._shares = roots / roots.sum() if classes else roots

    def draw(self) -> Face | None:
        """A random one, from NumPy's global generator as in ppdet's transforms; None from an empty bank."""
        if not self._by_class:
            return None
        chosen = np.random.choice(len(self._by_class), p=self._shares)
        some = self._by_class[chosen]
        return some[np.random.choice(len(some), p=self._odds[chosen])]

    def picture_of(self, face: Face) -> Picture | None:
        """The picture that the face is cut from; None, and reported, if it is no longer readable."""
        try:
            return self._store.read(face.file)
        except PictureError as error:
            self._lost.add(face.file, error)
            return None


class Scene:
    """A picture to paste faces into; `boxes` grows with each."""

    def __init__(self, image: Picture, boxes: FloatArray) -> None:
        self.image = image.copy()
        self.boxes = boxes

    def paste(self, face: Face, picture: Picture) -> FloatArray | None:
        """Paste a face from its picture at a random free place; the new xyxy box, or None without room."""
        patch, inner = _cut(face, picture)
        scale = self._target_side() / float(np.sqrt(np.prod(inner[2:] - inner[:2])))
        size = (round(patch.shape[1] * scale), round(patch.shape[0] * scale))
        height, width = self.image.shape[:2]
        if min(size) < 4 or size[0] >= width or size[1] >= height:
            return None
        patch = cv2.resize(patch, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        for _ in range(_TRIES):
            corner = np.array([np.random.randint(width - size[0]), np.random.randint(height - size[1])])
            outer = np.concatenate([corner, corner + size]).astype(np.float32)
            if not _touches(outer, self.boxes):
                return self._blend(patch, corner, inner * scale)
        return None

    def _target_side(self) -> float:
        own = np.sqrt(np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1))
        usual = float(np.random.choice(own)) if len(own) else max(self.image.shape[:2]) / 12
        return max(8.0, usual * float(np.random.uniform(*_SCALES)))

    def _blend(self, patch: Picture, corner: NDArray[np.int64], inner: FloatArray) -> FloatArray:
        x, y = corner
        region = self.image[y : y + patch.shape[0], x : x + patch.shape[1]]
        alpha = _feather(patch.shape[0], patch.shape[1])
        region[:] = (alpha * patch + (1 - alpha) * region).astype(np.uint8)
        box = (inner + np.tile(corner, 2)).astype(np.float32)
        self.boxes = np.concatenate([self.boxes, box[None]])
        return box


def _cut(face: Face, picture: Picture) -> tuple[Picture, FloatArray]:
    """The face with its margin, mirrored half the time, and its box within the patch."""
    height, width = picture.shape[:2]
    margin = np.tile((face.box[2:] - face.box[:2]) * _MARGIN, 2) * [-1, -1, 1, 1]
    outer = np.clip(face.box + margin, 0, [width, height] * 2).round().astype(int)
    patch = picture[outer[1] : outer[3], outer[0] : outer[2]]
    inner = (face.box - np.tile(outer[:2], 2)).astype(np.float32)
    if np.random.random() < 0.5:
        patch = patch[:, ::-1]
        inner[[0, 2]] = patch.shape[1] - inner[[2, 0]]
    return np.ascontiguousarray(patch), inner


def _feather(height: int, width: int) -> FloatArray:
    """Opacity [H, W, 1]: 1 within an ellipse, falling to 0 at the edges of the patch."""
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    distance = np.sqrt(x**2 + y**2)
    opacity: FloatArray = np.clip((1.15 - distance) / 0.3, 0, 1).astype(np.float32)[..., None]
    return opacity


def _touches(box: FloatArray, boxes: FloatArray) -> bool:
    apart = (boxes[:, :2] >= box[2:]) | (boxes[:, 2:] <= box[:2])
    return bool((~apart.any(axis=1)).any())
