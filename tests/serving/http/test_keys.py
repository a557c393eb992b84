from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from maskdet.serving.http.hashing import hash_key
from maskdet.serving.http.keys import OPEN_PATHS, scopes_for
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


SCOPED = {
    "api_keys": [
        {"name": name, "hash": hash_key(name), "scopes": scopes}
        for name, scopes in (
            ("camera", ["detect"]),
            ("anna", ["review"]),
            ("operator", ["admin"]),
            ("all", ["detect", "review", "admin"]),
        )
    ],
    "api_key_hashes": (hash_key("old"),),
}
KEYS_BY_SCOPE = {
    "detect": {"camera", "all", "old"},
    "review": {"anna", "all"},
    "correct": {"anna", "all", "old"},
    "admin": {"operator", "all", "old"},
    "any": {"camera", "anna", "operator", "all", "old"},
}
ROUTES = [
    ("POST", "/v1/detect", "detect"),
    ("POST", "/predict/tiny", "detect"),
    ("POST", "/predict/image/tiny", "detect"),
    ("POST", "/predict/clas_system", "detect"),
    ("POST", "/api/", "detect"),
    ("POST", "/infer", "detect"),
    ("POST", "/upload", "detect"),
    ("POST", "/ppdet/prediction", "detect"),
    ("POST", "/object-detection", "detect"),
    ("POST", "/v2/models/tiny/infer", "detect"),
    ("GET", "/nowhere", "detect"),
    ("POST", "/v1/corrections", "correct"),
    ("GET", "/v1/review/pictures", "review"),
    ("GET", "/v1/review/pictures/0123456789abcdef", "review"),
    ("GET", "/v1/review/pictures/0123456789abcdef/picture", "review"),
    ("POST", "/v1/review/pictures/0123456789abcdef/decision", "review"),
    ("POST", "/v1/review/pictures/0123456789abcdef/undo", "review"),
    ("POST", "/v1/admin/reload", "admin"),
    ("GET", "/v1/models", "any"),
    ("GET", "/v1/page", "any"),
    ("GET", "/v1/monitor", "any"),
    ("GET", "/metrics", "any"),
    ("GET", "/docs", "any"),
    ("GET", "/openapi.json", "any"),
]


@pytest.fixture(scope="module")
def scoped(tiny_bundle: Path, start_engine: Any) -> Iterator[Any]:
    with start_engine(tiny_bundle, ServeSettings.model_validate(SCOPED)) as app:
        yield app


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_each_route_needs_its_scope(scoped: Any, method: str, path: str, scope: str) -> None:
    opens = set()
    for key in KEYS_BY_SCOPE["any"]:
        response = scoped.request(method, path, headers={"x-api-key": key})
        if "insufficient_scope" not in response.headers.get("www-authenticate", ""):
            opens.add(key)
            assert response.status_code != 401
        else:
            named = "review" if scope == "correct" else scope
            assert (
                response.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{named}"'
            )
    assert opens == KEYS_BY_SCOPE[scope]
    assert scoped.request(method, path).status_code == 401


def test_every_route_is_in_the_table(scoped: Any) -> None:
    """A route that nobody thought of is open to no key but those for detect."""
    known = {path for _, path, _ in ROUTES} | set(OPEN_PATHS)
    routes = {
        (path, method) for path, methods in scoped.app.api.openapi()["paths"].items() for method in methods
    }
    filled = {
        re.sub(r"\{\w+\}", "0123456789abcdef" if "/review/" in path else "tiny", path) for path, _ in routes
    }
    assert {"/v1/detect", "/v1/corrections", "/v1/models"} <= filled & known
    for path in {*(filled - known), "/v1/made-up", "/v1/models/made-up", "/made-up"}:
        assert scopes_for(path) == ("detect",), path


def test_key_may_not_be_listed_twice() -> None:
    one = {"name": "a", "hash": hash_key("x"), "scopes": ["detect"]}
    for keys in (
        {"api_keys": [one, {**one, "hash": hash_key("y")}]},
        {"api_keys": [one, {**one, "name": "b"}]},
        {"api_keys": [one], "api_key_hashes": [hash_key("x")]},
    ):
        with pytest.raises(ValidationError, match="two API keys have the"):
            ServeSettings.model_validate(keys)


@pytest.mark.parametrize(
    "change", [{"scopes": []}, {"scopes": ["all"]}, {"name": "a b"}, {"name": ""}, {"hash": "secret"}]
)
def test_key_has_a_plain_name_and_known_scopes(change: dict[str, Any]) -> None:
    one = {"name": "a", "hash": hash_key("x"), "scopes": ["detect"], **change}
    with pytest.raises(ValidationError):
        ServeSettings.model_validate({"api_keys": [one]})


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


@pytest.mark.parametrize("path", ["/api/", "/infer", "/upload"])
@pytest.mark.parametrize("origins", [(), ("https://gate.example",)])
def test_page_sends_its_key_to_a_browser_demo(in_process: Any, path: str, origins: tuple[str, ...]) -> None:
    app, page = in_process(cors_origins=origins, **KEYS), {"origin": "https://gate.example"}

    asked = app.request("OPTIONS", path, headers={**page, "access-control-request-headers": "x-api-key"})
    refused = app.post(path, headers=page)

    assert {"x-api-key", "authorization"} < set(asked.headers["access-control-allow-headers"].split(", "))
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")
