"""A tiny VOC data set, drawn: discs with and without a lower half of another colour."""

from __future__ import annotations

from pathlib import Path

from lxml import etree
from PIL import Image, ImageDraw

LABELS = ("with_mask", "without_mask")
WIDTH, HEIGHT = 160, 120
_SIDE = 48


def draw_data_set(root: Path, pictures: int) -> None:
    """Write `pictures` JPEGs with one annotated disc each; classes alternate, places and colours differ."""
    for folder in ("JPEGImages", "Annotations"):
        (root / folder).mkdir(parents=True)
    for number in range(pictures):
        stem, label = f"face{number:03d}", LABELS[number % len(LABELS)]
        left, top = 5 + number * 37 % (WIDTH - _SIDE - 10), 5 + number * 23 % (HEIGHT - _SIDE - 10)
        box = (left, top, left + _SIDE, top + _SIDE)
        _picture(number, label, box).save(root / "JPEGImages" / f"{stem}.jpg", quality=92)
        _annotation(stem, label, box).write(
            root / "Annotations" / f"{stem}.xml", encoding="utf-8", pretty_print=True
        )


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


def _annotation(stem: str, label: str, box: tuple[int, int, int, int]) -> etree._ElementTree:
    root = etree.Element("annotation")
    etree.SubElement(root, "filename").text = f"{stem}.jpg"
    size = etree.SubElement(root, "size")
    for name, value in (("width", WIDTH), ("height", HEIGHT), ("depth", 3)):
        etree.SubElement(size, name).text = str(value)
    face = etree.SubElement(root, "object")
    etree.SubElement(face, "name").text = label
    edges = etree.SubElement(face, "bndbox")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
        etree.SubElement(edges, name).text = str(value)
    return etree.ElementTree(root)
