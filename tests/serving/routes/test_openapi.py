"""What the OpenAPI document says of keys and errors, and /docs of parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from maskdet.serving.http.hashing import hash_key
from maskdet.serving.http.keys import OPEN_PATHS, scopes_for
from maskdet.serving.routes.docs import render
from maskdet.serving.routes.openapi import VALIDATION_ERROR

BODY = {"$ref": "#/components/schemas/ProblemBody"}
WAYS = [{"bearer": []}, {"apiKey": []}]


def document_of(server: Any) -> Any:
    return server.app.api.openapi()


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in document["paths"].items():
        yield from ((path, operation) for operation in methods.values())


def test_a_generated_client_can_send_a_key(in_process: Any) -> None:
    document = document_of(in_process(api_key_hashes=(hash_key("key"),)))
    schemes = document["components"]["securitySchemes"]
    said = {path: operation.get("security") for path, operation in operations(document)}

    assert schemes["bearer"] == {"type": "http", "scheme": "bearer"}
    assert schemes["apiKey"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    assert {path for path, ways in said.items() if ways is None} == set(OPEN_PATHS) & set(said)
    assert all(ways == WAYS for ways in said.values() if ways is not None)


def test_a_server_without_keys_needs_none(in_process: Any) -> None:
    ways = [
        operation["security"]
        for path, operation in operations(document_of(in_process()))
        if path == "/v1/detect"
    ]
    assert ways == [[*WAYS, {}]]


def test_own_routes_say_that_they_may_refuse_a_key(in_process: Any) -> None:
    for path, operation in operations(document_of(in_process())):
        if path.startswith("/v1/"):
            refusals = {"401"} if scopes_for(path) is None else {"401", "403"}
            assert refusals <= set(operation["responses"]), path


def test_every_error_has_the_body_of_this_server(in_process: Any) -> None:
    document = document_of(in_process())
    for path, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["content"]["application/json"]["schema"] == BODY, (path, status)
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])


def test_parameters_that_fastapi_reads_are_text(in_process: Any) -> None:
    """To a wrong number it would answer in its own words."""
    document = FastAPI.openapi(in_process().app.api)
    read = [one for _, one in operations(document) if VALIDATION_ERROR in str(one["responses"].get("422"))]
    assert {each["schema"]["type"] for one in read for each in one["parameters"]} == {"string"}


@pytest.mark.parametrize(
    "row",
    [
        "<code>threshold</code></th><td>query: ",
        "<code>X-Camera</code></th><td>header: string",
        "<code>name</code></th><td>path: ",
    ],
)
def test_the_page_says_where_a_parameter_goes(in_process: Any, row: str) -> None:
    assert row in render(document_of(in_process()))
