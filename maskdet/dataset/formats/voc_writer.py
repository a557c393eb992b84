"""Writes the annotations of a VOC folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from maskdet.dataset.formats.labelled import LabelledObject, text_of
from maskdet.dataset.reading.image_sets import LISTS
from maskdet.dataset.reading.layout import ANNOTATIONS, PICTURES
from maskdet.dataset.reading.sizes import Size
from maskdet.errors import DatasetError
from maskdet.system.files import write_text

_SIDES: Final = ("xmin", "ymin", "xmax", "ymax")
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no form for."""
_ESCAPED: Final = {"\r": "&#13;"}
"""Beside &, < and >: a reader takes a bare carriage return for the end of a line."""


def voc_document(filename: str, size: Size, objects: Sequence[LabelledObject]) -> bytes:
    """A Pascal VOC annotation in UTF-8; coordinates to a thousandth of a pixel, whole ones as integers.

    Raises DatasetError for a name that XML cannot hold.
    """
    sides = (("width", size[1]), ("height", size[0]), ("depth", 3))
    lines = [
        "<annotation>",
        _field("folder", PICTURES, 1),
        _field("filename", filename, 1),
        *_group("size", [_field(side, value, 2) for side, value in sides], 1),
        _field("segmented", 0, 1),
        *(line for item in objects for line in _object(item)),
        "</annotation>",
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def write_annotation(folder: Path, picture: str, size: Size, objects: Sequence[LabelledObject]) -> None:
    """Annotations/STEM.xml below `folder` for the picture JPEGImages/`picture`."""
    target = folder / ANNOTATIONS / Path(picture).with_suffix(".xml")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(voc_document(picture, size, objects))


def write_list(folder: Path, part: str, pictures: Iterable[str]) -> None:
    """ImageSets/Main/`part`.txt: the stems of the part's pictures."""
    lines = "".join(f"{Path(picture).stem}\n" for picture in pictures)
    write_text(folder / LISTS / f"{part}.txt", lines)


def _object(item: LabelledObject) -> Iterator[str]:
    fields = {"name": item.label, "pose": "Unspecified", "truncated": "0", "difficult": f"{item.difficult:d}"}
    if item.score is not None:
        fields["score"] = f"{item.score:.4f}"
    lines = [_field(tag, text, 2) for tag, text in fields.items()]
    edges = [_field(side, text_of(edge), 3) for side, edge in zip(_SIDES, item.box, strict=True)]
    return _group("object", [*lines, *_group("bndbox", edges, 2)], 1)


def _group(tag: str, lines: Iterable[str], depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}<{tag}>"
    yield from lines
    yield f"{'  ' * depth}</{tag}>"


def _field(tag: str, value: str | int, depth: int) -> str:
    text = str(value)
    if _ILLEGAL.search(text):
        raise DatasetError(f"XML cannot hold {text!a}", "rename the class or the file")
    return f"{'  ' * depth}<{tag}>{escape(text, _ESCAPED)}</{tag}>"
