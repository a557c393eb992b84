"""A labelled set of painted pictures with three planted label errors, and the tiny model that sees them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from media import save
from support import LABELS, cell_box, paint

from maskdet.dataset.formats.labelled import LabelledObject
from maskdet.dataset.formats.voc_writer import write_annotation
from maskdet.dataset.manifest import Manifest, ManifestObject, ManifestPicture, ManifestRoot

SIDE = 256
ERRORS = {3: "missing", 11: "swapped", 17: "misplaced"}
"""Number of the picture, and what is wrong with its only label."""


def write_planted_set(root: Path, count: int = 30) -> None:
    """A VOC folder of `count` pictures with one face each, of another class, place and clarity each time."""
    for name, objects in _labelled(root / "JPEGImages", count):
        write_annotation(root, name, (SIDE, SIDE), objects)


def planted_manifest(root: Path, count: int = 30) -> Manifest:
    """The same pictures in `root` itself, every fifth in val."""
    pictures = []
    for number, (name, objects) in enumerate(_labelled(root, count)):
        kept = tuple(ManifestObject(item.label, item.box, item.difficult) for item in objects)
        pictures.append(
            ManifestPicture(
                picture=name,
                annotation="",
                part="train" if number % 5 else "val",
                width=SIDE,
                height=SIDE,
                sha256="",
                objects=kept,
            )
        )
    return Manifest(LABELS, tuple(pictures), roots=(ManifestRoot("", root),))


def _labelled(folder: Path, count: int) -> Iterator[tuple[str, list[LabelledObject]]]:
    for number in range(count):
        cell, label = (number % 8, number // 8), LABELS[number % 3]
        # The planted errors are the clearest pictures: the model is sure of them.
        clarity = 1.0 if number in ERRORS else 0.6 + 0.3 * number / count
        painted = (paint({cell: label}, SIDE, SIDE) * clarity).astype(np.uint8)
        name = f"a<b> {number:02}.png"
        save(folder / name, painted)
        yield name, _objects(number, label, cell_box(*cell, SIDE, SIDE))


def _objects(number: int, label: str, box: tuple[float, float, float, float]) -> list[LabelledObject]:
    error = ERRORS.get(number)
    if error == "missing":
        return []
    if error == "swapped":
        label = LABELS[(number + 1) % 3]
    if error == "misplaced":
        x1, y1, x2, y2 = box
        box = (x1, y1 + 12, x2, y2 + 12) if y2 < SIDE else (x1, y1 - 12, x2, y2 - 12)
    return [LabelledObject(label, box)]
