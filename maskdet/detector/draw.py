"""Detections drawn into a picture: boxes and captions that people can read at any size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from maskdet.detector.captions import Colour, Plate, class_colour, place_captions
from maskdet.types import Detections, FloatArray, Picture


def draw(picture: Picture, detections: Detections, labels: Sequence[str]) -> Picture:
    """A copy of the picture with each detection's box and `label 0.93`; the best lie on top.

    Lines and letters scale with the picture, letters also with the box, so that the captions of small faces
    in a large picture do not hide their neighbours. A caption goes where it covers least of what is there.
    """
    image = Image.fromarray(picture)
    canvas = ImageDraw.Draw(image)
    for row in reversed(range(len(detections))):
        _draw_box(canvas, detections.boxes[row], class_colour(labels, int(detections.class_ids[row])))
    plates = place_captions(detections, labels, (picture.shape[0], picture.shape[1]))
    for plate in reversed(plates):
        _draw_plate(canvas, plate)
    return np.array(image)


def _draw_box(canvas: ImageDraw.ImageDraw, box: FloatArray, colour: Colour) -> None:
    width = max(1, round(max(canvas.im.size) / 400))
    x1, y1, x2, y2 = box.tolist()
    # The last pixel that a box covers lies before its right and lower edge.
    canvas.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=colour, width=width)


def _draw_plate(canvas: ImageDraw.ImageDraw, plate: Plate) -> None:
    x, y = plate.corner
    wide, high = plate.size
    left, top = plate.font.getbbox(plate.text)[:2]
    canvas.rectangle((x, y, x + wide - 1, y + high - 1), fill=plate.colour)
    canvas.text(
        (x + plate.padding - left, y + plate.padding - top),
        plate.text,
        font=plate.font,
        fill=_ink(plate.colour),
    )


def _ink(plate: Colour) -> Colour:
    """Black or white, whichever reads better on the plate (ITU-R BT.601 luma)."""
    luma = 0.299 * plate[0] + 0.587 * plate[1] + 0.114 * plate[2]
    return (0, 0, 0) if luma > 140 else (255, 255, 255)
