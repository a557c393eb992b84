"""The writer of annotations: what an XML parser reads back is what was given."""

from __future__ import annotations

import pytest
from lxml import etree

from maskdet.dataset.formats.labelled import LabelledObject
from maskdet.dataset.formats.voc_writer import voc_document
from maskdet.errors import DatasetError

BOX = (1.0, 2.5, 30.1239, 40.0)


@pytest.mark.parametrize(
    "name", ["a", "口罩 😷.png", "<b>&amp;\"'</b>", "]]>", "a\rb", "a\r\n\tb", "\x85\u2028", ""]
)
def test_names_are_read_back_as_they_were(name: str) -> None:
    root = etree.fromstring(voc_document(name, (40, 30), [LabelledObject(name, BOX, True, 0.12345)]))
    assert (root.findtext("filename"), root.findtext("object/name")) == (name, name)


def test_the_document_is_laid_out_as_labelling_tools_do() -> None:
    written = voc_document(
        "a.jpg", (40, 30), [LabelledObject("bare", BOX), LabelledObject("x", BOX, True, 1.0)]
    )
    root = etree.fromstring(written, etree.XMLParser(remove_blank_text=True))
    etree.indent(root, "  ")
    assert etree.tostring(root, encoding="utf-8") + b"\n" == written
    assert [one.text for one in root.iter("xmin", "ymin", "xmax", "ymax")] == ["1", "2.5", "30.124", "40"] * 2
    assert [one.text for one in root.iter("width", "height", "depth")] == ["30", "40", "3"]
    assert [one.text for one in root.iter("difficult")] == ["0", "1"]
    assert [one.text for one in root.iter("score")] == ["1.0000"]


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_a_name_that_xml_cannot_hold_is_refused(character: str) -> None:
    with pytest.raises(DatasetError, match="XML cannot hold"):
        voc_document("a.jpg", (40, 30), [LabelledObject(f"a{character}", BOX)])
