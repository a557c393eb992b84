"""Writes the annotations of a VOC folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lxml import etree

from maskdet.dataset.formats.labelled import LabelledObject, text_of
from maskdet.dataset.layout import ANNOTATIONS, PICTURES
from maskdet.dataset.sizes import Size
from maskdet.errors import DatasetError
from maskdet.files import write_text

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def voc_document(filename: str, size: Size, objects: Sequence[LabelledObject]) -> bytes:
    """A Pascal VOC annotation in UTF-8; coordinates to a thousandth of a pixel, whole ones as integers.

    Raises DatasetError for a name that XML cannot hold.
    """
    root = etree.Element("annotation")
    _add(root, "folder", PICTURES)
    _add(root, "filename", filename)
    sides = etree.SubElement(root, "size")
    for side, value in (("width", size[1]), ("height", size[0]), ("depth", 3)):
        _add(sides, side, value)
    _add(root, "segmented", 0)
    for item in objects:
        _add_object(root, item)
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="utf-8") + b"\n"


def write_annotation(folder: Path, picture: str, size: Size, objects: Sequence[LabelledObject]) -> None:
    """Annotations/STEM.xml below `folder` for the picture JPEGImages/`picture`."""
    target = folder / ANNOTATIONS / Path(picture).with_suffix(".xml")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(voc_document(picture, size, objects))


def write_list(folder: Path, part: str, pictures: Iterable[str]) -> None:
    """ImageSets/Main/`part`.txt: the stems of the part's pictures."""
    lines = "".join(f"{Path(picture).stem}\n" for picture in pictures)
    write_text(folder / "ImageSets" / "Main" / f"{part}.txt", lines)


def _add_object(root: etree._Element, item: LabelledObject) -> None:
    element = etree.SubElement(root, "object")
    fields = (("name", item.label), ("pose", "Unspecified"), ("truncated", 0))
    for tag, text in (*fields, ("difficult", int(item.difficult))):
        _add(element, tag, text)
    if item.score is not None:
        _add(element, "score", f"{item.score:.4f}")
    frame = etree.SubElement(element, "bndbox")
    for side, edge in zip(_SIDES, item.box, strict=True):
        _add(frame, side, text_of(edge))


def _add(parent: etree._Element, tag: str, text: str | int) -> None:
    try:
        etree.SubElement(parent, tag).text = str(text)
    except ValueError as error:
        raise DatasetError(f"XML cannot hold {text!a}", "rename the class or the file") from error
