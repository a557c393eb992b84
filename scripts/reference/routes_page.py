"""The server's HTTP API, from its OpenAPI document."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

from reference.language import English, cell, prose
from reference.server import openapi

from maskdet.serving.http.problems import KINDS

TITLE = "The HTTP API"
SOURCE = "the server's OpenAPI document"
HEAD = (
    "`/docs` of a running server shows the same, and `/openapi.json` is for programs. [Serving](../serving.md) says "
    "how to use it: keys, limits, health and updates. Times are in milliseconds unless a name says otherwise, and "
    "boxes are x1, y1, x2, y2 in pixels of the picture after its EXIF orientation.",
)
SECTIONS = {
    "native": "Detection and corrections",
    "review": "Review",
    "operation": "Operation",
    "health": "Health",
    "PaddleHub": "PaddleHub",
    "PaddleClas": "PaddleClas",
    "PaddleX": "PaddleX",
    "Paddle Serving": "Paddle Serving",
    "Flask demo": "The Flask demo",
    "LearnPaddle": "LearnPaddle",
    "Open Inference Protocol": "The Open Inference Protocol",
}
INTRODUCTIONS = {
    "PaddleHub": "Requests and answers are those of PaddleHub: [coming from it](../coming-from/paddlehub-serving.md).",
    "PaddleClas": "Requests and answers are those of PaddleClas: [coming from it](../coming-from/paddleclas-hubserving.md).",
    "PaddleX": "Requests and answers are those of PaddleX: [coming from it](../coming-from/paddlex.md).",
    "Paddle Serving": "Requests and answers are those of Paddle Serving's pipeline for PaddleDetection.",
    "Flask demo": "Requests and answers are those of the demo: [coming from it](../coming-from/paddledetection-flask.md).",
    "LearnPaddle": "For LearnPaddle's web page; these paths are open to all origins.",
    "Open Inference Protocol": "As the protocol specifies; clients of Triton work unchanged.",
}
TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
# FastAPI adds this one to every route with a variable path; the server answers with ProblemBody.
FOREIGN = "HTTPValidationError"
Schema = dict[str, Any]


def content(say: English) -> Iterator[str]:
    document = openapi()
    yield from map(say, HEAD)
    for tag, title in SECTIONS.items():
        yield f"## {say(title)}"
        if tag in INTRODUCTIONS:
            yield say(INTRODUCTIONS[tag])
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    yield f"### {method.upper()} {path}"
                    yield from _operation(say, operation)
    yield f"## {say('Schemas')}"
    for name, schema in _schemas(document):
        yield f"### {name}"
        yield from _described(say, schema)
        yield _fields(say, schema)
    yield from _errors(say)


def _operation(say: English, operation: Schema) -> Iterator[str]:
    yield f"{say(operation['summary'])}."
    if "description" in operation:
        yield prose(say, inspect.cleandoc(operation["description"]))
    if "parameters" in operation:
        rows = [f"| {say('parameter')} | {say('place')} | {say('value')} | {say('meaning')} |", "|---|---|---|---|"]
        for one in operation["parameters"]:
            meaning = say(one["schema"].get("description", one.get("description", "")))
            rows.append(
                f"| `{one['name']}` | {say(one['in'])} | {_kind(say, one['schema'])} | {cell(meaning)} |"
            )
        yield "\n".join(rows)
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        yield from _body(say, kind, body)
    yield from _answers(say, operation["responses"])


def _body(say: English, kind: str, body: Schema) -> Iterator[str]:
    schema = body["schema"]
    if schema.get("format") == "binary":
        yield say("Body of type {}: the picture itself.").format(f"`{kind}`")
        return
    yield say("Body of type {}:").format(f"`{kind}`")
    yield _fields(say, schema)
    if "example" in body:
        yield f"```json\n{json.dumps(body['example'])}\n```"


def _answers(say: English, responses: Schema) -> Iterator[str]:
    """The good answers with their bodies; the statuses of the errors."""
    bad = []
    for status, one in sorted(responses.items()):
        schema = one.get("content", {}).get("application/json", {}).get("schema", {})
        if schema.get("$ref", "").endswith("/ProblemBody"):
            bad.append(status)
        elif schema and not schema.get("$ref", "").endswith(FOREIGN):
            yield say("Answer {}: {}.").format(status, _kind(say, schema))
    if bad:
        yield say("Errors: {}.").format(", ".join(bad))


def _schemas(document: Schema) -> Iterator[tuple[str, Schema]]:
    for name, schema in document["components"]["schemas"].items():
        if name not in {FOREIGN, "ValidationError"}:
            yield name, schema


def _described(say: English, schema: Schema) -> Iterator[str]:
    if "description" in schema:
        yield prose(say, inspect.cleandoc(schema["description"]))


def _fields(say: English, schema: Schema) -> str:
    required = set(schema.get("required", ()))
    rows = [f"| {say('field')} | {say('value')} | {say('meaning')} |", "|---|---|---|"]
    for name, one in schema.get("properties", {}).items():
        optional = "" if name in required else f" {say('(optional)')}"
        words = cell(say(one.get("description", "")))
        rows.append(f"| `{name}`{optional} | {_kind(say, one)} | {words} |")
    return "\n".join(rows)


def _kind(say: English, schema: Schema) -> str:
    """A schema's type in a few words."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return f" {say('or')} ".join(_kind(say, one) for one in schema[key] if one.get("type") != "null")
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return f" {say('or')} ".join(f"`{value}`" for value in values)
    if schema.get("type") == "array":
        inner = schema.get("items") or next(iter(schema.get("prefixItems", [{}])))
        return say("list of {}").format(_kind(say, inner)) if inner else say("list")
    if schema.get("format") == "binary":
        return say("file")
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return say("map of text to {}").format(_kind(say, inner)) if isinstance(inner, dict) else say("object")
    return say(TYPES.get(str(schema.get("type")), "any value"))


def _errors(say: English) -> Iterator[str]:
    yield f"## {say('Errors')}"
    yield say(
        "The body of every answer with a status of 400 or more is a ProblemBody. `code` is for programs; it keeps its "
        "meaning, while `message` and `hint` may change. A 503 `busy` has the header `Retry-After`. The routes of older "
        "systems answer with the errors of those systems."
    )
    rows = [f"| {say('status')} | {say('code')} | {say('meaning')} |", "|---|---|---|"]
    for error, kind in sorted(KINDS.items(), key=lambda item: (item[1].status, item[1].code)):
        words = say(inspect.getdoc(error) or "")
        rows.append(f"| {kind.status} | `{kind.code}` | {cell(words)} |")
    yield "\n".join(rows)
