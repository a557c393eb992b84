"""Pascal VOC: one JPEG and one XML file per picture."""

from __future__ import annotations

from pathlib import Path

from lxml import etree
from PIL import Image

from draw_sample.scene import Face

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def write_pair(root: Path, stem: str, picture: Image.Image, faces: list[Face]) -> None:
    """Write JPEGImages/<stem>.jpg and Annotations/<stem>.xml under `root`."""
    picture.save(root / "JPEGImages" / f"{stem}.jpg", quality=88, optimize=True)
    tree = etree.ElementTree(_annotation(f"{stem}.jpg", picture.size, faces))
    tree.write(root / "Annotations" / f"{stem}.xml", encoding="utf-8", pretty_print=True)


def _annotation(filename: str, size: tuple[int, int], faces: list[Face]) -> etree._Element:
    annotation = etree.Element("annotation")
    _leaf(annotation, "folder", "JPEGImages")
    _leaf(annotation, "filename", filename)
    shape = etree.SubElement(annotation, "size")
    for name, value in (("width", size[0]), ("height", size[1]), ("depth", 3)):
        _leaf(shape, name, str(value))
    _leaf(annotation, "segmented", "0")
    for face in faces:
        _add_face(annotation, face)
    return annotation


def _add_face(annotation: etree._Element, face: Face) -> None:
    element = etree.SubElement(annotation, "object")
    for name, text in (("name", face.label), ("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
        _leaf(element, name, text)
    corners = etree.SubElement(element, "bndbox")
    for name, value in zip(_CORNERS, face.box, strict=True):
        _leaf(corners, name, str(value))


def _leaf(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text
