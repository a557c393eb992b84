"""Transforms for crowded pictures with tiny faces of unequal classes, in ppdet's operator form. Worker side.

PicoDet's published crops are made for COCO's large objects: they shrink tiny faces and rotate hues fully,
although skin and mask differ by colour. These zoom in on faces, paste rare ones, and shift colours mildly.
They draw from NumPy's global generator, like all of ppdet's transforms.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import ppdet.data.transform as registry
from ppdet.data.transform.operators import BaseOperator, register_op

from maskdet.detector.picture import read_picture
from maskdet.training.worker.faces import FaceBank, Scene
from maskdet.types import BoolArray, FloatArray, Picture

Sample = dict[str, Any]
_GREY = 114
_LEAST_VISIBLE = 0.4
"""Share of a face that must be inside the view for it to count as a face."""
_LEAST_SIDE = 3.0
"""Faces smaller than this many pixels in the view are not taught."""


@register_op
class ReadPicture(BaseOperator):  # type: ignore[misc]
    """Decode like the detector, so that training sees what serving sees."""

    def apply(self, sample: Sample, context: Any = None) -> Sample:
        sample["image"] = read_picture(Path(sample.pop("im_file")))
        sample["scale_factor"] = np.ones(2, np.float32)
        return sample


@register_op
class PasteFaces(BaseOperator):  # type: ignore[misc]
    """Paste up to `most` faces from other pictures into free places, rare classes more often than they occur.

    They are feathered ellipses at the size of the picture's own faces times 0.5 to 1.5 (after the simple
    copy-paste of Ghiasi et al. 2021). The feed passes in `bank`.
    """

    def __init__(self, most: int = 3, probability: float = 0.5) -> None:
        super().__init__()
        self._most, self._probability = most, probability
        self.bank: FaceBank | None = None

    def apply(self, sample: Sample, context: Any = None) -> Sample:
        if self.bank is None or np.random.random() >= self._probability:
            return sample
        scene = Scene(sample["image"], sample["gt_bbox"])
        drawn = [self.bank.draw() for _ in range(np.random.randint(1, self._most + 1))]
        pictures = [(face, self.bank.picture_of(face)) for face in drawn if face is not None]
        classes = [
            face.class_id
            for face, picture in pictures
            if picture is not None and scene.paste(face, picture) is not None
        ]
        sample["image"], sample["gt_bbox"] = scene.image, scene.boxes
        sample["gt_class"] = np.concatenate([sample["gt_class"], _column(classes, np.int32)])
        sample["gt_score"] = np.concatenate([sample["gt_score"], _column([1.0] * len(classes), np.float32)])
        sample["difficult"] = np.concatenate([sample["difficult"], _column([0] * len(classes), np.int32)])
        return sample


@register_op
class ZoomView(BaseOperator):  # type: ignore[misc]
    """A square view of `side` pixels out of the picture as it would be at a random input size.

    The picture is treated as resized to a side between `between[0]` and `between[1]`, with its ratio changed
    by up to 15 %, and the view is cut around a random face, or anywhere every fourth time; outside is grey.
    Of difficult faces every visible part stays marked: it is not background.
    """

    def __init__(self, side: int, between: Sequence[int]) -> None:
        super().__init__()
        self._side, self._between = side, between

    def apply(self, sample: Sample, context: Any = None) -> Sample:
        image, boxes = sample["image"], sample["gt_bbox"]
        scale = self._scale(image)
        difficult = sample["difficult"][:, 0] == 1
        start = self._start(image, boxes[~difficult], scale)
        sample["image"] = self._view(image, start, scale)
        moved = (boxes - np.tile(start, 2)) * np.tile(scale, 2)
        seen = np.clip(moved, 0, self._side).astype(np.float32)
        keep = np.where(difficult, (seen[:, :2] < seen[:, 2:]).all(axis=1), _worth_teaching(moved, seen))
        for key in ("gt_class", "gt_score", "difficult"):
            sample[key] = sample[key][keep]
        sample["gt_bbox"] = seen[keep]
        sample["h"] = sample["w"] = float(self._side)
        sample["im_shape"] = np.array([self._side, self._side], np.float32)
        return sample

    def _scale(self, image: Picture) -> FloatArray:
        """View pixels per picture pixel, in x and y."""
        low, high = np.log(self._between)
        side = np.exp(np.random.uniform(low, high))
        stretch = np.exp(np.random.uniform(-0.07, 0.07))
        return np.array([side * stretch / image.shape[1], side / stretch / image.shape[0]], np.float32)

    def _start(self, image: Picture, boxes: FloatArray, scale: FloatArray) -> FloatArray:
        """Picture coordinates of the view's upper left corner."""
        size = self._side / scale
        room = np.array([image.shape[1], image.shape[0]], np.float32) - size
        if len(boxes) and np.random.random() < 0.75:
            box = boxes[np.random.randint(len(boxes))]
            wanted = (box[:2] + box[2:]) / 2 - size * np.random.uniform(0.1, 0.9, 2)
        else:
            wanted = np.random.uniform(0, 1, 2) * room
        start: FloatArray = np.clip(wanted, np.minimum(room, 0), np.maximum(room, 0)).astype(np.float32)
        return start

    def _view(self, image: Picture, start: FloatArray, scale: FloatArray) -> Picture:
        matrix = np.array([[scale[0], 0, -start[0] * scale[0]], [0, scale[1], -start[1] * scale[1]]])
        # warpAffine maps the centres of pixels, not their corners.
        matrix[:, 2] += 0.5 * (scale - 1)
        if scale.min() < 0.6:
            image = cv2.GaussianBlur(image, (0, 0), float(0.4 / scale.min()))
        flags = cv2.INTER_CUBIC if np.random.random() < 0.7 else cv2.INTER_LINEAR
        view = cv2.warpAffine(
            image,
            matrix,
            (self._side, self._side),
            flags=flags,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(_GREY,) * 3,
        )
        return np.asarray(view, np.uint8)


@register_op
class MildColour(BaseOperator):  # type: ignore[misc]
    """Realistic changes of brightness, contrast, saturation and colour cast; sometimes grey or blurred."""

    def apply(self, sample: Sample, context: Any = None) -> Sample:
        image = sample["image"].astype(np.float32)
        image = (image - 128) * np.random.uniform(0.7, 1.3) + 128 * np.random.uniform(0.7, 1.3)
        grey = image @ np.array([0.299, 0.587, 0.114], np.float32)
        share = 0.0 if np.random.random() < 0.03 else np.random.uniform(0.6, 1.4)
        image = grey[..., None] + (image - grey[..., None]) * share
        image *= np.random.uniform(0.92, 1.08, 3).astype(np.float32)
        if np.random.random() < 0.1:
            image = cv2.GaussianBlur(image, (0, 0), np.random.uniform(0.4, 1.2))
        sample["image"] = np.clip(image, 0, 255).astype(np.uint8)
        return sample


@register_op
class PoorCamera(BaseOperator):  # type: ignore[misc]
    """Occasionally fewer pixels, noise or JPEG blocks, so that the few rare faces are not memorised."""

    def apply(self, sample: Sample, context: Any = None) -> Sample:
        image = sample["image"]
        if np.random.random() < 0.2:
            image = _fewer_pixels(image, np.random.uniform(1.2, 2.2))
        if np.random.random() < 0.2:
            noise = np.random.normal(0, np.random.uniform(2, 10), image.shape).astype(np.float32)
            image = np.clip(image + noise, 0, 255).astype(np.uint8)
        if np.random.random() < 0.2:
            image = _through_jpeg(image, np.random.randint(35, 90))
        sample["image"] = image
        return sample


def register() -> None:
    """Let ppdet's Compose find these by name, like its own."""
    for operator in (ReadPicture, PasteFaces, ZoomView, MildColour, PoorCamera):
        setattr(registry, operator.__name__, operator)


def _fewer_pixels(image: Picture, divisor: float) -> Picture:
    height, width = image.shape[:2]
    small = (max(1, round(width / divisor)), max(1, round(height / divisor)))
    reduced = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _through_jpeg(image: Picture, quality: int) -> Picture:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _worth_teaching(moved: FloatArray, seen: FloatArray) -> BoolArray:
    whole = np.prod(moved[:, 2:] - moved[:, :2], axis=1)
    sides = seen[:, 2:] - seen[:, :2]
    visible = np.prod(sides, axis=1) >= _LEAST_VISIBLE * whole
    keep: BoolArray = visible & (sides.min(axis=1, initial=np.inf) >= _LEAST_SIDE)
    return keep


def _column(values: Sequence[float], kind: Any) -> Any:
    return np.array(values, kind).reshape(-1, 1)
