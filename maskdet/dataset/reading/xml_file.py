"""Parses one untrusted XML file: no entities, no network, no huge trees."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from lxml import etree

from maskdet.dataset.findings import clean

Element = Any
"""An lxml element; lxml ships no types."""

MAX_BYTES = 16 * 1024 * 1024
"""An annotation is a few kB; a file larger than this is not one."""
_ENCODING_HINT: Final = "save it as UTF-8, or declare its encoding: <?xml version='1.0' encoding='GBK'?>"


class RefusedXmlError(Exception):
    """The whole file is unusable; `code` is that of the finding it makes, `line` 0 if unknown."""

    def __init__(self, code: str, message: str, hint: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.line = code, message, hint, line


def parse(path: Path) -> Element:
    """The root element. Raises RefusedXmlError for a file that is unreadable, too large or unsafe."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    data = _read_bytes(path)
    try:
        root: Element = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        message = f"not well-formed XML: {clean(error.msg or '', 160)}"
        raise RefusedXmlError("xml-unreadable", message, _hint(error, data), error.lineno or 0) from error
    _refuse_entities(root)
    return root


def line_of(element: Element | None, otherwise: Element) -> int:
    """1-based line where the start tag of `element` ends, or that of `otherwise` if there is no element."""
    line: int | None = (element if element is not None else otherwise).sourceline
    return line or 0


def stray_texts(root: Element) -> Iterator[tuple[str, int]]:
    """Text that belongs to no field, with its line: in an element that has children, or after any element."""
    for element in root.iter():
        if len(element) and (element.text or "").strip():
            yield _placed(element.text, line_of(element, root))
        if element is not root and (element.tail or "").strip():
            yield _placed(element.tail, _end_line(element))


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            message = f"larger than {MAX_BYTES // 1024**2} MiB, so not an annotation"
            raise RefusedXmlError("xml-unreadable", message)
        data = path.read_bytes()
    except OSError as error:
        raise RefusedXmlError("xml-unreadable", f"cannot be read: {error.strerror}") from error
    if not data.strip():
        raise RefusedXmlError("xml-unreadable", "the file is empty")
    return data


def _hint(error: etree.XMLSyntaxError, data: bytes) -> str:
    """What to do about a file that is not well-formed, "" if that is clear without one."""
    # The code for a wrong encoding depends on libxml2's version; the word is in each of its messages.
    if "encoding" in (error.msg or ""):
        return _ENCODING_HINT
    before, declaration, _ = data.removeprefix(codecs.BOM_UTF8).partition(b"<?xml")
    return "remove what is before <?xml" if declaration and before and b"<" not in before else ""


def _refuse_entities(root: Element) -> None:
    document = root.getroottree().docinfo
    dtd = document.internalDTD
    if document.system_url or document.public_id or (dtd is not None and list(dtd.entities())):
        message = "declares entities or refers to an external DTD, which no annotation needs"
        raise RefusedXmlError("xml-entities", message, "remove the DOCTYPE", line=1)


def _placed(text: str, line: int) -> tuple[str, int]:
    """`text` without surrounding whitespace, and its line, given the `line` of what precedes it."""
    blank = text[: len(text) - len(text.lstrip())]
    return text.strip(), line + blank.count("\n")


def _end_line(node: Element) -> int:
    """Line of a node's end tag. libxml2 keeps only the start tag's, so line breaks are counted."""
    if not isinstance(node.tag, str):
        return line_of(node, node)
    if len(node):
        return _end_line(node[-1]) + (node[-1].tail or "").count("\n")
    return line_of(node, node) + (node.text or "").count("\n")
