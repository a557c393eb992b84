"""Detections drawn into a picture so that every face stays visible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw

from maskdet.detector.captions import Plate, class_colour, place_captions
from maskdet.detector.legend import legend_below, legend_inside
from maskdet.detector.outline import class_line, draw_outline, ink_on, line_width
from maskdet.detector.placement import whole_pixels
from maskdet.types import Detections, Picture

_READABLE_SIDE: Final = 1600
"""Pixels of the longer side to which a crowded picture is enlarged."""
_MOST_ZOOM: Final = 4.0


def draw(
    picture: Picture, detections: Detections, labels: Sequence[str], *, keep_size: bool = False
) -> Picture:
    """A copy of the picture with each detection's box, and `label 0.93` beside it; the best are drawn on top.

    No caption hides a face. If they do not all fit, the picture is enlarged, captions are
    shortened to scores or left out, and a legend in a strip below names and counts the classes.
    `keep_size` keeps the picture's size: the legend then goes where no face is, or is left out.
    """
    captions = place_captions(detections, labels, _size(picture))
    if not captions.named and not keep_size:
        picture, detections = _enlarged(picture, detections)
        captions = place_captions(detections, labels, _size(picture))
    drawn = _with_plates(_with_outlines(picture, detections, labels), captions.plates)
    if captions.named:
        return drawn
    if not keep_size:
        return legend_below(drawn, detections, labels)
    taken = np.array([plate.rectangle for plate in captions.plates], np.int64).reshape(-1, 4)
    kept_free = np.concatenate([whole_pixels(detections.boxes), taken])
    legend_inside(drawn, detections, labels, kept_free)
    return drawn


def _size(picture: Picture) -> tuple[int, int]:
    return picture.shape[0], picture.shape[1]


def _enlarged(picture: Picture, detections: Detections) -> tuple[Picture, Detections]:
    zoom = min(_MOST_ZOOM, _READABLE_SIDE / max(_size(picture)))
    if zoom <= 1:
        return picture, detections
    height, width = (round(side * zoom) for side in _size(picture))
    factors = np.array([width / picture.shape[1], height / picture.shape[0]] * 2, np.float32)
    larger = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
    boxes = detections.boxes * factors
    return np.asarray(larger, np.uint8), Detections(boxes, detections.scores, detections.class_ids)


def _with_outlines(picture: Picture, detections: Detections, labels: Sequence[str]) -> Picture:
    drawn = picture.copy()
    boxes = np.rint(detections.boxes).astype(np.int64)
    for row in reversed(range(len(detections))):
        class_id = int(detections.class_ids[row])
        line = class_line(class_colour(labels, class_id), class_id)
        draw_outline(drawn, boxes[row], line, line_width(boxes[row], _size(picture)))
    return drawn


def _with_plates(picture: Picture, plates: Sequence[Plate]) -> Picture:
    image = Image.fromarray(picture)
    canvas = ImageDraw.Draw(image)
    for plate in plates:
        _draw_plate(canvas, plate)
    return np.array(image)


def _draw_plate(canvas: ImageDraw.ImageDraw, plate: Plate) -> None:
    x1, y1, x2, y2 = plate.rectangle
    left, top = plate.font.getbbox(plate.text)[:2]
    canvas.rectangle((x1, y1, x2 - 1, y2 - 1), fill=plate.colour)
    corner = (x1 + plate.padding - left, y1 + plate.padding - top)
    canvas.text(corner, plate.text, font=plate.font, fill=ink_on(plate.colour))
