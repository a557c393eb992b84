"""HTML that is escaped by construction: text becomes markup only through this module."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

_VOID: Final = frozenset({"img", "input", "meta", "br", "line", "rect", "polyline", "circle", "path"})


class Markup(str):
    """HTML or SVG that is safe to insert. Every other string is text, and is escaped."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | float | bool | None) -> Markup:
    """`<name ...>children</name>`. An attribute's trailing underscore is dropped, inner ones become hyphens.

    True writes the bare attribute; None and False leave it out.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(children)}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """The parts side by side, text escaped."""
    return Markup("".join(map(_safe, parts)))


def table(headings: Iterable[str], rows: Iterable[Iterable[str]], *, caption: str = "") -> Markup:
    """The first column holds row headings. It scrolls sideways on narrow screens, also by keyboard."""
    head = element("tr", *(element("th", cell, scope="col") for cell in headings))
    body = [_row(list(row)) for row in rows]
    said = [element("caption", caption)] if caption else []
    whole = element("table", *said, element("thead", head), element("tbody", *body))
    return element("div", whole, class_="wide", tabindex="0", role="group")


def _row(cells: list[str]) -> Markup:
    first = element("th", cells[0], scope="row")
    return element("tr", first, *(element("td", cell) for cell in cells[1:]))


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def _safe(part: str) -> str:
    return part if isinstance(part, Markup) else escape(part)
