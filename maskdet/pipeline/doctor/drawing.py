"""A tiny VOC data set, drawn: discs with and without a lower half of another colour."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from maskdet.dataset.formats.labelled import LabelledObject
from maskdet.dataset.formats.voc_writer import write_annotation
from maskdet.dataset.reading.layout import PICTURES

LABELS = ("with_mask", "without_mask")
WIDTH, HEIGHT = 160, 120
_SIDE = 48


def draw_data_set(root: Path, pictures: int) -> None:
    """Write `pictures` JPEGs with one annotated disc each; classes alternate, places and colours differ."""
    (root / PICTURES).mkdir(parents=True)
    for number in range(pictures):
        name, label = f"face{number:03d}.jpg", LABELS[number % len(LABELS)]
        left, top = 5 + number * 37 % (WIDTH - _SIDE - 10), 5 + number * 23 % (HEIGHT - _SIDE - 10)
        box = (left, top, left + _SIDE, top + _SIDE)
        _picture(number, label, box).save(root / PICTURES / name, quality=92)
        write_annotation(root, name, (HEIGHT, WIDTH), [LabelledObject(label, box)])


def _picture(number: int, label: str, box: tuple[int, int, int, int]) -> Image.Image:
    # Backgrounds that differ in pattern, not only in colour, are not near-duplicates.
    picture = Image.new(
        "RGB", (WIDTH, HEIGHT), (40 + number * 53 % 160, 60 + number * 31 % 140, 200 - number * 17 % 160)
    )
    pen = ImageDraw.Draw(picture)
    for stripe in range(number % 5 + 2):
        at = (stripe + 1) * WIDTH // (number % 5 + 3)
        pen.line(
            (at, 0, WIDTH - at + number * 7 % 50, HEIGHT),
            fill=(230, 230, 60 + number * 11 % 180),
            width=3 + number % 4,
        )
    pen.ellipse(box, fill=(200, 150, 120))
    if label == LABELS[0]:
        pen.chord(box, 0, 180, fill=(90, 160, 220))
    return picture
