"""Lays a `LabelledSet` out as the files of a format."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from maskdet.dataset.formats.coco_writer import CocoWriter
from maskdet.dataset.formats.flat_names import flat_names
from maskdet.dataset.formats.labelled import LabelledPicture, LabelledSet
from maskdet.dataset.formats.recognise import Format
from maskdet.dataset.formats.voc_writer import write_annotation, write_list
from maskdet.dataset.formats.yolo_writer import write_data_file, write_difficult, write_labels
from maskdet.dataset.reading.layout import PICTURES
from maskdet.errors import UsageError
from maskdet.progress import Track

Placing = Literal["copy", "link", "leave"]
"""What happens to the pictures: copied, hard-linked, or left where they are."""


def write_set(found: LabelledSet, to: Format, out: Path, placing: Placing, track: Track) -> None:
    """Write labels and pictures into the empty folder `out`. Raises DatasetError or UsageError."""
    _WRITERS[to](found, out, placing, track)


def _write_voc(found: LabelledSet, out: Path, placing: Placing, track: Track) -> None:
    names = flat_names(found.pictures, by_part=False)
    for picture, name in track(zip(found.pictures, names, strict=True), "Writing", len(names)):
        write_annotation(out, name, picture.size, picture.objects)
        _place(picture, out / PICTURES / name, placing)
    for part in filter(None, found.parts):
        own = (name for picture, name in zip(found.pictures, names, strict=True) if picture.part == part)
        write_list(out, part, own)


def _write_coco(found: LabelledSet, out: Path, placing: Placing, track: Track) -> None:
    names = flat_names(found.pictures, by_part=True)
    pairs = list(zip(found.pictures, names, strict=True))
    (out / "annotations").mkdir()
    for part in found.parts:
        own = [pair for pair in pairs if pair[0].part == part]
        file = out / "annotations" / (f"instances_{part}.json" if part else "instances.json")
        with file.open("w", encoding="utf-8", newline="\n") as stream:
            writer = CocoWriter(stream, found.labels)
            for picture, name in track(own, "Writing", len(own)):
                writer.add(name, picture.size, picture.objects)
                _place(picture, out / "images" / part / name, placing)
            writer.finish()


def _write_yolo(found: LabelledSet, out: Path, placing: Placing, track: Track) -> None:
    names = flat_names(found.pictures, by_part=True)
    ids = {label: number for number, label in enumerate(found.labels)}
    difficult = {}
    for picture, name in track(zip(found.pictures, names, strict=True), "Writing", len(names)):
        labels = str(PurePosixPath("labels", picture.part, name).with_suffix(".txt"))
        lines = write_labels(out, labels, picture.objects, ids, picture.size)
        if lines:
            difficult[labels] = lines
        _place(picture, out / "images" / picture.part / name, placing)
    write_difficult(out, difficult)
    write_data_file(out, found.labels, found.parts)


_WRITERS: Final[dict[Format, Callable[[LabelledSet, Path, Placing, Track], None]]] = {
    "voc": _write_voc,
    "coco": _write_coco,
    "yolo": _write_yolo,
}


def _place(picture: LabelledPicture, target: Path, placing: Placing) -> None:
    if placing == "leave":
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if placing == "copy":
        shutil.copyfile(picture.file, target)
        return
    try:
        os.link(picture.file.resolve(), target)
    except OSError as error:
        what = f"{picture.file} cannot be hard-linked: {error.strerror}"
        raise UsageError(what, "choose a folder on the same file system, or leave out --link") from error
