from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from maskdet.serving.http.hashing import hash_key
from maskdet.serving.settings import ServeSettings

KEYS = {"api_key_hashes": (hash_key("first"), hash_key("second"))}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "first"},
        {"x-api-key": "second"},
        {"authorization": "Bearer first"},
        {"authorization": "bearer  second"},
    ],
)
def test_any_known_key_opens(in_process: Any, headers: dict[str, str]) -> None:
    assert in_process(**KEYS).get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": "third"},
        {"x-api-key": hash_key("first")},
        {"authorization": "Basic first"},
        {"authorization": "first"},
        {"x-api-key": "\xff"},
    ],
)
def test_no_or_wrong_key_is_401_everywhere(in_process: Any, headers: dict[str, str]) -> None:
    app = in_process(**KEYS)
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    for path in ("/v1/models", "/metrics", "/docs", "/openapi.json", "/nowhere"):
        response = app.get(path, headers=raw)

        assert response.status_code == 401
        assert response.json()["error"]["code"] == "unauthorised"
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.headers["x-request-id"]


def test_health_stays_open(in_process: Any) -> None:
    app = in_process(**KEYS)

    for path in ("/health", "/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"):
        assert app.get(path).status_code == 200


def test_settings_hold_hashes_only() -> None:
    with pytest.raises(ValidationError, match="api_key_hashes"):
        ServeSettings(api_key_hashes=("my secret key",))


def test_cors_is_closed_unless_an_origin_is_named(in_process: Any) -> None:
    page = {"origin": "https://gate.example"}
    closed, opened = in_process(), in_process(cors_origins=("https://gate.example",), **KEYS)
    preflight = {
        **page,
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-api-key",
    }

    assert "access-control-allow-origin" not in closed.get("/v1/models", headers=page).headers
    asked = opened.request("OPTIONS", "/v1/detect", headers=preflight)
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, page["origin"])
    refused = opened.get("/v1/models", headers=page)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, page["origin"])
    other = opened.get("/v1/models", headers={"origin": "https://other.example", "x-api-key": "first"})
    assert "access-control-allow-origin" not in other.headers


def test_browser_demos_stay_open_beside_named_origins(in_process: Any) -> None:
    app = in_process(cors_origins=("https://gate.example",))
    preflight = {"origin": "http://localhost:8000", "access-control-request-method": "POST"}

    assert app.request("OPTIONS", "/api/", headers=preflight).headers["access-control-allow-origin"] == "*"
