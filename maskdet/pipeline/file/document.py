"""YAML with line numbers: duplicate keys are detected, and plain scalars have YAML 1.2's meaning."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of the file to a value."""

MAX_DEPTH = 20
"""Nesting levels; pipeline.yml needs four."""
MAX_BITS = 64
"""Of a whole number; Python refuses to write much longer ones as text."""
_SHOWN = 40
"""Characters of a value that a message repeats."""


class _Loader(yaml.SafeLoader):
    """YAML 1.1, as in PyYAML, reads `4:1` as 241, `no` as false and `1e-3` as text. 1.2 does not."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's way to replace the table

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        # An alias can turn a small file into a huge or endless value, and this file does not need any.
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not supported here", mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


@dataclass(slots=True)
class Document:
    """A parsed YAML text. `lines` gives the line (1-based) of each key; `duplicates` those written twice."""

    value: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    duplicates: list[tuple[KeyPath, int]] = field(default_factory=list)


def read_document(text: str) -> Document:
    """Read one YAML document. Raises yaml.MarkedYAMLError with the position of a fault."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        document = Document()
        if node is not None:
            document.value = _value(loader, node, (), document)
        return document
    finally:
        loader.dispose()


def read_value(text: str) -> Any:
    """A value from the command line: `[..]`, `{..}` and quoted text are YAML, all else is a plain scalar."""
    if text[:1] in ("[", "{", '"', "'"):
        return read_document(text).value
    loader = _Loader("")
    try:
        tag = loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
        return _scalar(loader, yaml.ScalarNode(tag, text), ())
    finally:
        loader.dispose()


def as_written(text: str) -> str:
    """What `read_value` reads as this text: itself, or quoted where it would mean another value."""
    try:
        if text == text.strip() and read_value(text) == text:
            return text
    except (yaml.YAMLError, ValueError, RecursionError):
        pass
    # Line breaks are folded inside quotes, and what cannot be printed is refused.
    plain = (one if one.isprintable() and one not in '"\\' else f"\\U{ord(one):08x}" for one in text)
    return f'"{"".join(plain)}"'


def _value(loader: _Loader, node: yaml.Node, path: KeyPath, document: Document) -> Any:
    if len(path) > MAX_DEPTH:
        fault = f"nested deeper than {MAX_DEPTH} levels"
        raise yaml.composer.ComposerError(None, None, fault, node.start_mark)
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_item(loader, child, (*path, at), document) for at, child in enumerate(node.value)]
    return _scalar(loader, node, path)


def _scalar(loader: _Loader, node: yaml.Node, path: KeyPath) -> Any:
    value, fits = None, False
    with suppress(ValueError, LookupError, AttributeError):  # the text does not suit its tag
        value = loader.construct_object(node)
        fits = not isinstance(value, int) or value.bit_length() <= MAX_BITS
    if fits:
        return value
    key = "".join(f"{part}." for part in path)[:-1]
    text = node.value if len(node.value) <= _SHOWN else f"{node.value[:_SHOWN]}…"
    fault = f"{key}: {text} cannot be read as {node.tag.rpartition(':')[2]}"
    raise yaml.constructor.ConstructorError(None, None, fault.removeprefix(": "), node.start_mark)


def _item(loader: _Loader, node: yaml.Node, path: KeyPath, document: Document) -> Any:
    document.lines[path] = node.start_mark.line + 1
    return _value(loader, node, path, document)


def _mapping(loader: _Loader, node: yaml.MappingNode, path: KeyPath, document: Document) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.composer.ComposerError(None, None, "a key must be plain text", key_node.start_mark)
        # Keys stay text even if they look like numbers, as class names may.
        key: str = key_node.value
        line = key_node.start_mark.line + 1
        inner: KeyPath = (*path, key)
        if key in result:
            document.duplicates.append((inner, line))
            continue
        document.lines[inner] = line
        result[key] = _value(loader, value_node, inner, document)
    return result
