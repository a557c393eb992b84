"""Builds small VOC folders and pictures with an EXIF turn."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

OBJECT = (
    "<object><name>{label}</name><difficult>{difficult}</difficult><bndbox><xmin>{box[0]}</xmin>"
    "<ymin>{box[1]}</ymin><xmax>{box[2]}</xmax><ymax>{box[3]}</ymax></bndbox></object>"
)
Object = tuple[str, tuple[float, float, float, float], int]


def draw(path: Path, width: int = 80, height: int = 60, turn: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.full((height, width, 3), 90, np.uint8))
    exif = Image.Exif()
    exif[0x0112] = turn
    image.save(path, exif=exif)


def add(root: Path, name: str, *objects: Object, size: tuple[int, int] = (80, 60), turn: int = 1) -> None:
    """A picture of (width, height) as stored, and its annotation, whose size is after the turn."""
    draw(root / "JPEGImages" / name, *size, turn=turn)
    width, height = size[::-1] if turn >= 5 else size
    body = "".join(
        OBJECT.format(label=escape(label), box=box, difficult=flag) for label, box, flag in objects
    )
    text = f"<annotation><size><width>{width}</width><height>{height}</height></size>{body}</annotation>"
    (root / "Annotations").mkdir(exist_ok=True)
    (root / "Annotations" / name).with_suffix(".xml").write_text(text, encoding="utf-8")
