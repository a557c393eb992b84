"""The server's HTTP API, from its OpenAPI document."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

from maskdet.serving.http.problems import KINDS
from write_reference.language import English, cell, prose, table
from write_reference.server import openapi

TITLE = "The HTTP API"
SOURCE = "the server's OpenAPI document"
HEAD = (
    "`/docs` of a running server shows the same, and `/openapi.json` is for programs. "
    "[Serving](../serving.md) says how to use it: keys, limits, health and updates. Times are in "
    "milliseconds unless a name says otherwise, and boxes are x1, y1, x2, y2 in pixels of the picture after "
    "its EXIF orientation.",
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
_AS_THERE = "Requests and answers are those of {}: [coming from it](../coming-from/{}.md)."
INTRODUCTIONS = {
    "PaddleHub": _AS_THERE.format("PaddleHub", "paddlehub-serving"),
    "PaddleClas": _AS_THERE.format("PaddleClas", "paddleclas-hubserving"),
    "PaddleX": _AS_THERE.format("PaddleX", "paddlex"),
    "Paddle Serving": "Requests and answers are those of Paddle Serving's pipeline for PaddleDetection.",
    "Flask demo": _AS_THERE.format("the demo", "paddledetection-flask"),
    "LearnPaddle": "For LearnPaddle's web page; these paths are open to all origins.",
    "Open Inference Protocol": "As the protocol specifies; clients of Triton work unchanged.",
}
ABOUT_ERRORS = (
    "The body of every answer with a status of 400 or more is a ProblemBody. `code` is for programs; it "
    "keeps its meaning, while `message` and `hint` may change. A 503 `busy` has the header `Retry-After`. "
    "The routes of older systems answer with the errors of those systems."
)
TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
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
    for name, schema in document["components"]["schemas"].items():
        yield f"### {name}"
        yield from _described(say, schema)
        yield _fields(say, schema)
    yield from _errors(say)


def _operation(say: English, operation: Schema) -> Iterator[str]:
    yield say("{}.").format(say(operation["summary"]))
    if "description" in operation:
        yield prose(say, inspect.cleandoc(operation["description"]))
    if "parameters" in operation:
        rows = [_parameter(say, one) for one in operation["parameters"]]
        yield table(say, ("parameter", "place", "value", "meaning"), rows)
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        yield from _body(say, kind, body)
    yield from _answers(say, operation["responses"])


def _parameter(say: English, one: Schema) -> tuple[str, ...]:
    meaning = say(one["schema"].get("description", one.get("description", "")))
    return f"`{one['name']}`", say(one["in"]), _kind(say, one["schema"]), cell(meaning)


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
        elif schema:
            yield say("Answer {}: {}.").format(status, _kind(say, schema))
    if bad:
        yield say("Errors: {}.").format(", ".join(bad))


def _described(say: English, schema: Schema) -> Iterator[str]:
    if "description" in schema:
        yield prose(say, inspect.cleandoc(schema["description"]))


def _fields(say: English, schema: Schema) -> str:
    required = set(schema.get("required", ()))
    rows = []
    for name, one in schema.get("properties", {}).items():
        optional = "" if name in required else f" {say('(optional)')}"
        rows.append((f"`{name}`{optional}", _kind(say, one), cell(say(one.get("description", "")))))
    return table(say, ("field", "value", "meaning"), rows)


def _kind(say: English, schema: Schema) -> str:
    """A schema's type in a few words."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    options = [one for one in schema.get("anyOf", schema.get("oneOf", ())) if one.get("type") != "null"]
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    choices = [_kind(say, one) for one in options] + [f"`{value}`" for value in values]
    return f" {say('or')} ".join(choices) or _plain_kind(say, schema)


def _plain_kind(say: English, schema: Schema) -> str:
    if schema.get("type") == "array":
        inner = schema.get("items") or schema["prefixItems"][0]
        return say("list of {}").format(_kind(say, inner))
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return say("map of text to {}").format(_kind(say, inner)) if inner else say("object")
    return say("file" if schema.get("format") == "binary" else TYPES[schema["type"]])


def _errors(say: English) -> Iterator[str]:
    yield f"## {say('Errors')}"
    yield say(ABOUT_ERRORS)
    kinds = sorted(KINDS.items(), key=lambda item: (item[1].status, item[1].code))
    rows = [
        (str(kind.status), f"`{kind.code}`", cell(say(inspect.getdoc(error) or ""))) for error, kind in kinds
    ]
    yield table(say, ("status", "code", "meaning"), rows)
