"""Writes the label files of a YOLO set, data.yaml, and the side file of difficult objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from maskdet.dataset.formats.labelled import LabelledObject
from maskdet.dataset.reading.sizes import Size
from maskdet.system.files import write_json, write_text

DATA_FILE = "data.yaml"
DIFFICULT_FILE = "difficult.json"
"""By label file, the lines (from 1) of the difficult objects, for which a YOLO line has no room."""
_UNSPLIT = "# Not split. For training, Ultralytics also needs `val`: pictures that `train` lacks.\n"


def label_text(objects: Sequence[LabelledObject], ids: Mapping[str, int], size: Size) -> str:
    """A line `id cx cy w h` per object, in shares of the picture; ten decimals, so nothing is lost.

    `ids`: class id by label; `size`: height and width in pixels.
    """
    return "".join(f"{ids[item.label]} {_shares(item, size)}\n" for item in objects)


def write_labels(
    folder: Path, name: str, objects: Sequence[LabelledObject], ids: Mapping[str, int], size: Size
) -> list[int]:
    """Write `name` below `folder`, empty for a picture without objects; returns its difficult lines."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(label_text(objects, ids, size), encoding="utf-8", newline="\n")
    return [number for number, item in enumerate(objects, start=1) if item.difficult]


def write_data_file(folder: Path, labels: Sequence[str], parts: Sequence[str]) -> None:
    """data.yaml in Ultralytics' form; `parts` as of a LabelledSet."""
    split = [part for part in parts if part]
    places = {part: f"images/{part}" for part in split} if split else {"train": "images"}
    value = {**places, "names": dict(enumerate(labels))}
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
    write_text(folder / DATA_FILE, text if split else _UNSPLIT + text)


def write_difficult(folder: Path, lines: Mapping[str, Sequence[int]]) -> None:
    """The side file, if there is a difficult object."""
    if lines:
        write_json(folder / DIFFICULT_FILE, lines)


def _shares(item: LabelledObject, size: Size) -> str:
    x1, y1, x2, y2 = item.box
    height, width = size
    shares = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
    return " ".join(f"{share:.10f}" for share in shares)
