"""The keys of the pipeline file, from its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from maskdet.pipeline.file.schema import PipelineFile
from write_reference.language import English, cell, table

TITLE = "The pipeline file"
SOURCE = "the schema; edit the docstrings there, not this file"
HEAD = (
    "One YAML file describes everything from the data to the server. Only `name` and one of `data.root` and "
    "`data.roots` are required; every other key has the default shown here. maskdet rejects unknown keys and "
    "suggests the nearest known one.",
    "Relative paths start at the file's folder. `--set KEY=VALUE` overrides a key for one command and may be "
    "repeated; a relative path in it starts at the current directory. `maskdet init DATA_DIR` writes a "
    "commented file for a folder.",
)
TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
LIMITS = {
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "exclusiveMaximum": "below {}",
}
Schema = dict[str, Any]


def content(say: English) -> Iterator[str]:
    yield from map(say, HEAD)
    yield from _Schema(say).sections()


class _Schema:
    """The schema in words."""

    def __init__(self, say: English) -> None:
        self._say = say
        self._whole = PipelineFile.model_json_schema()
        self._definitions = self._whole["$defs"]

    def sections(self) -> Iterator[str]:
        fields = dict(self._whole["properties"])
        yield "## name"
        yield self._table("", {"name": fields.pop("name")}, {"name"})
        for key, field in fields.items():
            yield from self._section(key, self._resolved(field))

    def _section(self, path: str, section: Schema) -> Iterator[str]:
        """A heading, a table of the section's own keys, then its subsections."""
        nested = {key: self._resolved(field) for key, field in section["properties"].items()}
        inner = {key: field for key, field in nested.items() if "properties" in field}
        listed = {key: each for key, field in nested.items() if (each := self._listed(field))}
        own = {key: field for key, field in section["properties"].items() if key not in inner}
        yield f"{'#' * (2 + path.removesuffix('.N').count('.'))} {path}"
        yield self._text(section)
        yield self._table(f"{path}.", own, set(section.get("required", ())))
        for key, field in inner.items():
            yield from self._section(f"{path}.{key}", field)
        for key, field in listed.items():
            yield from self._section(f"{path}.{key}.N", field)

    def _table(self, prefix: str, fields: Schema, required: set[str]) -> str:
        say = self._say
        rows = []
        for key, field in fields.items():
            value = _default(field.get("default"))
            default = "" if value == "null" else f"`{value}`"
            default = say("(required)") if key in required else default
            rows.append((f"`{prefix}{key}`", self._kind(field), default, self._text(field)))
        return table(say, ("key", "value", "default", "meaning"), rows)

    def _kind(self, field: Schema) -> str:
        """The allowed values, in words."""
        say, field = self._say, self._resolved(field)
        if "anyOf" in field:
            kinds = [self._kind(option) for option in field["anyOf"] if option.get("type") != "null"]
            return f" {say('or')} ".join(kinds)
        if "const" in field or "enum" in field:
            values = field.get("enum", [field.get("const")])
            return ", ".join(f"`{value}`" for value in values)
        if field.get("format") == "path":
            return say("path")
        if field["type"] == "array":
            return say("list of {}").format(
                say("sections") if self._listed(field) else self._kind(field["items"])
            )
        if field["type"] == "object":
            return say("map of text to {}").format(self._kind(field["additionalProperties"]))
        return self._limited(say(TYPES[field["type"]]), field)

    def _limited(self, kind: str, field: Schema) -> str:
        say = self._say
        limits = [say(words).format(_in_digits(field[key])) for key, words in LIMITS.items() if key in field]
        if "pattern" in field:
            pattern = field["pattern"].replace("|", "\\|")
            limits.append(say("like {}").format(f"`{pattern}`"))
        return say("{}, {}").format(kind, " ".join(limits)) if limits else kind

    def _listed(self, field: Schema) -> Schema:
        """The section that a key holds a list of, {} if it holds none."""
        for option in field.get("anyOf", [field]):
            each = self._resolved(option.get("items", {}))
            if "properties" in each:
                return each
        return {}

    def _resolved(self, field: Schema) -> Schema:
        """The definition that a field refers to, overridden by the field's own keys."""
        if "$ref" not in field:
            return field
        definition: Schema = self._definitions[field["$ref"].rsplit("/", 1)[-1]]
        return {**definition, **{key: value for key, value in field.items() if key != "$ref"}}

    def _text(self, field: Schema) -> str:
        return cell(self._say(str(field.get("description", ""))))


def _in_digits(limit: float) -> str:
    # As an exponent, a whole number would be rounded.
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


def _default(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
