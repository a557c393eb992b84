"""The OpenAPI document, and /docs: the same as a plain page that loads nothing and runs no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from starlette.responses import HTMLResponse

from maskdet.serving.http.json_writing import json_text
from maskdet.serving.http.unpacking import Unpacker

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font: 14px/1.45 ui-monospace, monospace }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8884; border-radius: .4rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #8884 }
h2 { margin-top: 2.5rem } :root { color-scheme: light dark }
h2, h3, p { overflow-wrap: anywhere }
@media (max-width: 34rem) {
  tr, th, td { display: block }
  tr { padding: .3rem 0; border-bottom: 1px solid #8884 }
  th, td { padding: 0; border: 0; overflow-wrap: anywhere }
}
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy: the page may use only its own style."""


def docs_routes(app: FastAPI, unpacker: Unpacker) -> APIRouter:
    """GET /docs and GET /openapi.json for the routes of `app`, generated on first request."""
    router = APIRouter()
    page = cache(lambda: render(app.openapi()))
    document = cache(lambda: json_text(app.openapi()))

    @router.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        text = await unpacker.run(page, heavy=True)
        return HTMLResponse(text, headers={"content-security-policy": POLICY})

    @router.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return Response(await unpacker.run(document, heavy=True), media_type="application/json")

    return router


def render(document: dict[str, Any]) -> str:
    """The page for an OpenAPI 3.1 document."""
    info = document["info"]
    parts = [
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{escape(info.get('description', ''))} ",
        "For programs: <a href='openapi.json'>openapi.json</a>.</p>",
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts += _operation(method.upper(), path, operation)
    parts.append("<h2>Schemas</h2>")
    for name, schema in document["components"]["schemas"].items():
        parts += _schema(name, schema)
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><style>{STYLE}</style>"
    title = f"<title>{escape(info['title'])} API</title>"
    return f"<!doctype html><html lang=en><head>{head}{title}</head><body>{''.join(parts)}</body></html>"


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{method} {escape(path)}</code></h2><p>{escape(operation.get('summary', ''))}</p>"
    if "description" in operation:
        yield f"<pre>{escape(operation['description'])}</pre>"
    if "parameters" in operation:
        yield "<h3>Parameters</h3>"
        yield _table(
            (one["name"], f"{one['in']}: {_kind(one['schema'])}", _says(one["schema"]))
            for one in operation["parameters"]
        )
    if "requestBody" in operation:
        yield "<h3>Body</h3>"
        contents = operation["requestBody"]["content"]
        yield _table((kind, _kind(one["schema"]), _example(one)) for kind, one in contents.items())
    yield "<h3>Answers</h3>"
    yield _table(
        (status, _answer_kind(one), one.get("description", ""))
        for status, one in operation["responses"].items()
    )


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"<h3 id='{escape(name)}'>{escape(name)}</h3><p>{escape(schema.get('description', ''))}</p>"
    fields = schema.get("properties", {})
    yield _table((key, _kind(one), _says(one) + _examples(one)) for key, one in fields.items())


def _table(rows: Iterator[tuple[str, str, str]]) -> str:
    cells = (
        f"<tr><th><code>{escape(a)}</code></th><td>{escape(b)}</td><td>{escape(c)}</td></tr>"
        for a, b, c in rows
    )
    return f"<table>{''.join(cells)}</table>"


def _kind(schema: dict[str, Any]) -> str:
    """A schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_kind(one) for one in schema[key])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}" if "items" in schema else "list"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    return str(schema.get("format") or schema.get("title") or schema.get("type", "any"))


def _says(schema: dict[str, Any]) -> str:
    return str(schema.get("description", ""))


def _examples(schema: dict[str, Any]) -> str:
    return "".join(f" e.g. {json_text(example)}" for example in schema.get("examples", []))


def _example(content: dict[str, Any]) -> str:
    return json_text(content["example"]) if "example" in content else ""


def _answer_kind(response: dict[str, Any]) -> str:
    content = response.get("content", {}).get("application/json")
    return _kind(content["schema"]) if content else ""
