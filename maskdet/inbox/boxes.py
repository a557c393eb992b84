"""The boxes of a picture in the inbox: as given, and as checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maskdet.inbox.refusals import BadBoxes
from maskdet.types import Box

MAX_BOXES = 1000

PixelBox = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Correction:
    """One corrected face; `box` is x1, y1, x2, y2 in pixels of the picture after its EXIF turn.

    Training and evaluation ignore a `difficult` one.
    """

    label: str
    box: Box
    difficult: bool = False


def pixel_boxes(corrections: Sequence[Correction], width: int, height: int) -> list[PixelBox]:
    """The boxes clipped to the picture, in whole pixels. Raises BadBoxes for what `prepare` would refuse."""
    if len(corrections) > MAX_BOXES:
        raise BadBoxes(f"more than {MAX_BOXES} boxes", "send those of one picture")
    boxes = [_whole(one, number, width, height) for number, one in enumerate(corrections, start=1)]
    labels: dict[PixelBox, str] = {}
    for one, box in zip(corrections, boxes, strict=True):
        if labels.setdefault(box, one.label) != one.label:
            raise BadBoxes(f"one box is called {labels[box]} and {one.label}", "keep one of them")
    return boxes


def _whole(one: Correction, number: int, width: int, height: int) -> PixelBox:
    # Clipped before rounding: an edge may be any number a client can write.
    x1, x2 = (round(min(max(edge, 0.0), width)) for edge in one.box[::2])
    y1, y2 = (round(min(max(edge, 0.0), height)) for edge in one.box[1::2])
    if x1 >= x2 or y1 >= y2:
        raise BadBoxes(
            f"box {number} has no area inside the picture, {width} x {height}",
            "a box is x1, y1, x2, y2 in pixels, with x1 < x2 and y1 < y2",
        )
    return x1, y1, x2, y2
