"""Write docs/pipeline-file.md from the schema of the pipeline file, so that the two always agree."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskdet.pipeline.schema import PipelineFile

TARGET = Path(__file__).resolve().parent.parent / "docs" / "pipeline-file.md"
HEAD = """# The pipeline file

One YAML file describes everything from the data to the server. Only `name` and one of `data.root` and
`data.roots` are required; every other key has the default shown here. maskdet rejects unknown keys and
suggests the nearest known one.
Relative paths start at the file's folder. `--set KEY=VALUE` overrides a key for one command and may be
repeated; a relative path in it starts at the current directory. `maskdet init DATA_DIR` writes a commented
file for a folder.

<!-- Written by scripts/write_reference.py from the schema; edit the docstrings there, not this file. -->
"""
TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
Schema = dict[str, Any]


def reference() -> str:
    """The whole page as Markdown."""
    whole = PipelineFile.model_json_schema()
    definitions = whole["$defs"]
    name = whole["properties"].pop("name")
    parts = [HEAD, "## name\n", *_table("", {"name": name}, definitions, {"name"})]
    for key, field in whole["properties"].items():
        parts += _section(key, _resolved(field, definitions), definitions)
    return "\n".join(parts)


def _section(path: str, section: Schema, definitions: Schema) -> Iterator[str]:
    """A heading, a table of the section's own keys, then its subsections."""
    nested = {key: _resolved(field, definitions) for key, field in section["properties"].items()}
    inner = {key: field for key, field in nested.items() if "properties" in field}
    listed = {key: each for key, field in nested.items() if (each := _listed(field, definitions))}
    own = {key: field for key, field in section["properties"].items() if key not in inner}
    yield f"{'#' * (2 + path.removesuffix('.N').count('.'))} {path}\n"
    yield f"{_text(section)}\n"
    yield from _table(f"{path}.", own, definitions, set(section.get("required", ())))
    for key, field in inner.items():
        yield from _section(f"{path}.{key}", field, definitions)
    for key, field in listed.items():
        yield from _section(f"{path}.{key}.N", field, definitions)


def _listed(field: Schema, definitions: Schema) -> Schema:
    """The section that a key holds a list of, {} if it holds none."""
    for option in field.get("anyOf", [field]):
        each = _resolved(option.get("items", {}), definitions)
        if "properties" in each:
            return each
    return {}


def _table(prefix: str, fields: Schema, definitions: Schema, required: set[str]) -> Iterator[str]:
    yield "| key | value | default | meaning |\n|---|---|---|---|"
    for key, field in fields.items():
        default = "(required)" if key in required else f"`{_default(field.get('default'))}`"
        default = "" if default == "`null`" else default
        yield f"| `{prefix}{key}` | {_kind(field, definitions)} | {default} | {_text(field)} |"
    yield ""


def _kind(field: Schema, definitions: Schema) -> str:
    """The allowed values, in words."""
    field = _resolved(field, definitions)
    if "anyOf" in field:
        kinds = [_kind(option, definitions) for option in field["anyOf"] if option.get("type") != "null"]
        return " or ".join(kinds)
    if "const" in field or "enum" in field:
        values = field.get("enum", [field.get("const")])
        return ", ".join(f"`{value}`" for value in values)
    if field.get("format") == "path":
        return "path"
    if field["type"] == "array":
        each = "sections" if _listed(field, definitions) else _kind(field["items"], definitions)
        return f"list of {each}"
    if field["type"] == "object":
        return f"map of {TYPES['string']} to {_kind(field['additionalProperties'], definitions)}"
    return TYPES[field["type"]] + _limits(field)


def _limits(field: Schema) -> str:
    words = (
        ("minimum", "from"),
        ("exclusiveMinimum", "above"),
        ("maximum", "to"),
        ("exclusiveMaximum", "below"),
    )
    limits = [f"{word} {field[key]:g}" for key, word in words if key in field]
    if "pattern" in field:
        limits.append(f"like `{field['pattern'].replace('|', chr(92) + '|')}`")
    return f", {' '.join(limits)}" if limits else ""


def _resolved(field: Schema, definitions: Schema) -> Schema:
    """The definition that a field refers to, overridden by the field's own keys."""
    if "$ref" not in field:
        return field
    definition: Schema = definitions[field["$ref"].rsplit("/", 1)[-1]]
    return {**definition, **{key: value for key, value in field.items() if key != "$ref"}}


def _default(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(field: Schema) -> str:
    words = " ".join(str(field.get("description", "")).split())
    return words.replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
