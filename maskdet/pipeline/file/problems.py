"""Validation faults of the pipeline file in words: which key, which value, and what is allowed instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from maskdet.pipeline.file.document import KeyPath
from maskdet.wording.names import nearest

MAX_VALUE_LENGTH = 60
"""Characters of a wrong value repeated in a message."""

_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "text (in quotes if it looks like a number)",
    "path": "a path",
    "tuple": "a list",
    "dict": "a mapping of `key: value`",
    "model": "a section of `key: value` lines",
    "too": "at least one",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least {}"),
    "greater_than": ("gt", "more than {}"),
    "less_than_equal": ("le", "at most {}"),
    "less_than": ("lt", "less than {}"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: its key, the sentence about it, and its line if that is not the key's own."""

    path: KeyPath
    text: str
    line: int | None = None


def describe_faults(
    model: type[BaseModel], value: Mapping[str, Any], faults: Iterable[ErrorDetails]
) -> list[Problem]:
    """One problem per key, however many branches of a union complained about it."""
    grouped: dict[KeyPath, list[ErrorDetails]] = {}
    for fault in faults:
        grouped.setdefault(_key_path(value, fault), []).append(fault)
    return [Problem(path, _sentence(model, path, group)) for path, group in grouped.items()]


def dotted(path: KeyPath) -> str:
    """The key as `--set` takes it: train.epochs, data.labels.0."""
    return ".".join(str(part) for part in path)


def _key_path(value: Any, fault: ErrorDetails) -> KeyPath:
    # pydantic appends the names of union branches to the location; only what can be in the file is kept.
    path: list[str | int] = []
    for part in fault["loc"]:
        if isinstance(value, Mapping) and (part in value or fault["type"] == "missing"):
            path.append(part)
            value = value.get(part)
        elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(part, int):
            path.append(part)
            value = value[part]
        else:
            break
    return tuple(path)


def _sentence(model: type[BaseModel], path: KeyPath, faults: Sequence[ErrorDetails]) -> str:
    kind = faults[0]["type"]
    field = _field_at(model, path)
    if kind == "missing":
        about = f": {field.description}" if field and field.description else ""
        return f"{dotted(path)} is missing{about}"
    if kind == "extra_forbidden":
        return f"{dotted(path)}: no such key{_suggestion(model, path)}"
    if faults[0]["input"] is None:
        return f"{dotted(path)} is empty: write what belongs there, or remove the line"
    if kind == "value_error" and isinstance(faults[0]["input"], Mapping):
        # A fault of a whole section, whose values need no repeating.
        return f"{dotted(path)}: {_own_words(faults[0])}"
    shown = repr(faults[0]["input"])
    if len(shown) > MAX_VALUE_LENGTH:
        shown = f"{shown[:MAX_VALUE_LENGTH]}…"
    return f"{dotted(path)}: {shown} is not allowed; {_allowed(field, faults)}"


def _allowed(field: FieldInfo | None, faults: Sequence[ErrorDetails]) -> str:
    if any(fault["type"] == "string_pattern_mismatch" for fault in faults):
        return ((field and field.description) or faults[0]["msg"]) + _example(field, " For example {}")
    expected = " or ".join(dict.fromkeys(_expected(fault) for fault in faults))
    if faults[0]["type"] == "string_type":
        expected += _example(field, ", such as {}")
    nearest = _nearest_literal(faults)
    return f"expected {expected}" + (f"; did you mean {nearest}?" if nearest else "")


def _example(field: FieldInfo | None, words: str) -> str:
    """The default in a sentence, if it is a text."""
    default = field.default if field else None
    return words.format(default) if isinstance(default, str) and default else ""


def _expected(fault: ErrorDetails) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "").replace(" or ", ", ")
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return words.format(context[name])
    if kind == "value_error":
        return _own_words(fault)
    return _EXPECTED.get(kind.split("_")[0], fault["msg"])


def _own_words(fault: ErrorDetails) -> str:
    return fault["msg"].removeprefix("Value error, ")


def _nearest_literal(faults: Sequence[ErrorDetails]) -> str | None:
    for fault in faults:
        if fault["type"] == "literal_error":
            choices = str(fault.get("ctx", {})["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            return nearest(str(fault["input"]), choices)
    return None


def _suggestion(model: type[BaseModel], path: KeyPath) -> str:
    section = _section_at(model, path[:-1])
    siblings = list(section.model_fields) if section else []
    name = str(path[-1])
    if near := nearest(name, siblings):
        return f"; did you mean {dotted((*path[:-1], near))}?"
    elsewhere = [key for key in _all_keys(model, ()) if key[-1] == name]
    if elsewhere:
        return f"; did you mean {dotted(elsewhere[0])}?"
    return f"; known here: {', '.join(siblings)}"


def _all_keys(model: type[BaseModel], path: KeyPath) -> Iterator[KeyPath]:
    for name, field in model.model_fields.items():
        yield (*path, name)
        if section := _section_of(field):
            yield from _all_keys(section, (*path, name))


def _field_at(model: type[BaseModel], path: KeyPath) -> FieldInfo | None:
    section = _section_at(model, path[:-1])
    return section.model_fields.get(str(path[-1])) if section and path else None


def _section_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    section: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int):
            continue
        field = section.model_fields.get(part) if section else None
        section = _section_of(field) if field else None
    return section


def _section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The section that a key holds, or a list of which it holds."""
    kinds = list(_kinds(field.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner)
