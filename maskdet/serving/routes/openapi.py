"""What the OpenAPI document says of a route whose request is read by hand, and of its errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel

from maskdet.serving.http.problems import ProblemBody

Described = dict[str, Any]
"""A fragment of the document."""

BINARY: Final[Described] = {"type": "string", "format": "binary"}


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
