"""Extra passes: overlapping tiles for small faces, a mirrored pass, and how all are merged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from maskdet.detector.detector import Detector
from maskdet.detector.postprocess import suppress
from maskdet.detector.settings import NmsSettings
from maskdet.types import Detections, FloatArray, Picture

_OVERLAP: Final = 0.2
"""Share of a tile that its neighbour overlaps: a face up to that size is whole in one of the two."""
_CUT: Final = 2.0
"""A box that ends within this many pixels of a tile's inner edge counts as cut off."""

Window = tuple[int, int, int, int]
"""Left, top, right and lower edge in pixels of the picture."""


@dataclass(frozen=True, slots=True)
class Look:
    """Passes in addition to the plain one: five in all with tiles, twice as many with flip."""

    tile: bool = False
    flip: bool = False

    @property
    def name(self) -> str:
        """plain, tile, flip or tile-flip."""
        return "-".join(word for word, on in (("tile", self.tile), ("flip", self.flip)) if on) or "plain"

    def least_size(self, input_size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of a picture whose windows are as large as the network input: no pass is
        enlarged because its picture was decoded at a fraction.
        """
        height, width = input_size
        if not self.tile:
            return input_size
        return math.ceil(height * (2 - _OVERLAP)), math.ceil(width * (2 - _OVERLAP))


PLAIN: Final = Look()


def detect_closely(
    detector: Detector,
    picture: Picture,
    look: Look,
    size: tuple[int, int] | None = None,
    *,
    from_score: float = 0,
) -> Detections:
    """Like `Detector.detect`, with the passes of `look` one after the other. Errors as there."""
    if look == PLAIN:
        return detector.detect(picture, size, from_score=from_score)
    height, width = picture.shape[:2]
    whole = (0, 0, width, height)
    windows = [whole, *(tiles(height, width) if look.tile else ())]
    passes = [one for window in windows for one in _passes(detector, picture, window, look.flip, from_score)]
    found = merge(passes, detector.meta.nms)
    return found if size is None else _enlarged(found, (height, width), size)


def tiles(height: int, width: int) -> list[Window]:
    """Four overlapping tiles, row by row from the top left.

    They have the picture's aspect ratio: faces look as in the whole picture, but 1.8 times as large.
    """
    return [(left, top, right, bottom) for top, bottom in _halves(height) for left, right in _halves(width)]


def merge(passes: Sequence[Detections], nms: NmsSettings) -> Detections:
    """What all passes found, boxes of the same picture; for each face and class the best score stays."""
    boxes = np.concatenate([found.boxes for found in passes])
    scores = np.concatenate([found.scores for found in passes])
    class_ids = np.concatenate([found.class_ids for found in passes])
    if not len(scores):
        return Detections.empty()
    order = np.argsort(-scores, kind="stable")
    together = Detections(boxes[order], scores[order], class_ids[order])
    kept = suppress(together.boxes, together.scores, together.class_ids, nms.iou_threshold)
    return together.select(kept[: nms.keep])


def _enlarged(found: Detections, seen: tuple[int, int], size: tuple[int, int]) -> Detections:
    """Boxes scaled from pixels of the decoded picture to the whole picture, both (height, width)."""
    factors: FloatArray = np.array([size[1] / seen[1], size[0] / seen[0]] * 2, np.float32)
    return Detections(found.boxes * factors, found.scores, found.class_ids)


def _halves(length: int) -> tuple[tuple[int, int], tuple[int, int]]:
    side = math.ceil(length / (2 - _OVERLAP))
    return (0, side), (length - side, length)


def _passes(
    detector: Detector, picture: Picture, window: Window, flip: bool, from_score: float
) -> Iterator[Detections]:
    left, top, right, bottom = window
    part = np.ascontiguousarray(picture[top:bottom, left:right])
    size = picture.shape[0], picture.shape[1]
    yield _placed(detector.detect(part, from_score=from_score), window, size)
    if flip:
        mirrored = detector.detect(np.ascontiguousarray(part[:, ::-1]), from_score=from_score)
        yield _placed(_mirrored(mirrored, right - left), window, size)


def _mirrored(found: Detections, width: int) -> Detections:
    boxes = found.boxes.copy()
    boxes[:, [0, 2]] = width - found.boxes[:, [2, 0]]
    return Detections(boxes, found.scores, found.class_ids)


def _placed(found: Detections, window: Window, size: tuple[int, int]) -> Detections:
    """In pixels of the picture, without the boxes cut off by an inner edge of the tile."""
    left, top, right, bottom = window
    height, width = size
    near = _CUT * np.array([left > 0, top > 0, right < width, bottom < height], np.float32)
    inner = near > 0
    edges = np.array([0, 0, right - left, bottom - top], np.float32)
    cut = (np.abs(found.boxes - edges) <= near) & inner
    shift: FloatArray = np.array([left, top, left, top], np.float32)
    moved = Detections(found.boxes + shift, found.scores, found.class_ids)
    return moved.select(~cut.any(axis=1))
