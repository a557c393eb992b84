"""The OpenAPI document: its keys, and what it says of a route whose request is read by hand and of errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel

from maskdet.serving.http.keys import is_open
from maskdet.serving.http.problems import ProblemBody

Described = dict[str, Any]
"""A fragment of the document."""

BINARY: Final[Described] = {"type": "string", "format": "binary"}

KEY_SCHEMES: Final[Described] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
"""The two ways to send a key."""
VALIDATION_ERROR: Final = "HTTPValidationError"
"""FastAPI's own answer to a parameter with a wrong value."""


class DocumentedApi(FastAPI):
    """FastAPI, whose document also says where a key is needed."""

    def __init__(self, *, keyed: bool, **options: Any) -> None:
        """`keyed`: whether the server has keys; without, it ignores those that it is sent."""
        super().__init__(**options)
        self._keyed = keyed

    def openapi(self) -> Described:
        """The document, made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            _add_keys(document, keyed=self._keyed)
            _drop_validation_errors(document)
        return super().openapi()


def _add_keys(document: Described, *, keyed: bool) -> None:
    document["components"]["securitySchemes"] = KEY_SCHEMES
    ways: list[Described] = [{name: []} for name in KEY_SCHEMES]
    for path, operations in document["paths"].items():
        if not is_open(path):
            for operation in operations.values():
                operation["security"] = ways if keyed else [*ways, {}]


def _drop_validation_errors(document: Described) -> None:
    """FastAPI lists one where it reads parameters, but those are text here, and no text is invalid."""
    for name in (VALIDATION_ERROR, "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    for operations in document["paths"].values():
        for operation in operations.values():
            if VALIDATION_ERROR in str(operation["responses"].get("422")):
                del operation["responses"]["422"]


def problems(*statuses: int) -> dict[int | str, Described]:
    """The error responses of a route."""
    return {status: {"model": ProblemBody} for status in statuses}


def query_options(model: type[BaseModel], also: Sequence[Described] = ()) -> Described:
    """The options of a query, none of which is required, and further parameters."""
    options = model.model_json_schema()["properties"]
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in options.items()
        ]
        + list(also)
    }


def required_body(content: Described) -> Described:
    """A body that is required; `content`: what it is by media type."""
    return {"requestBody": {"required": True, "content": content}}
