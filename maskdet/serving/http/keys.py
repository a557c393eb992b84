"""API keys: several, kept as hashes, compared in constant time; each opens the routes of its scopes."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from maskdet.serving.http.access import note
from maskdet.serving.http.cors import OPEN_CORS
from maskdet.serving.http.hashing import hash_key
from maskdet.serving.refusals import Refusal, Unauthorised, WrongScope
from maskdet.serving.settings import ServeSettings

PAGE_FILES = "/web/"
OPEN_PATHS = (
    "/",
    "/review",
    "/monitor",
    "/health",
    "/health/live",
    "/health/ready",
    "/v2/health/live",
    "/v2/health/ready",
)

CORRECT = "correct"
"""The scope of keys in `api_key_hashes` for corrections; it cannot be given to other keys."""
_SCOPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("/v1/admin", ("admin",)),
    ("/v1/review", ("review",)),
    ("/v1/corrections", ("review", CORRECT)),
)
"""The scopes of which a key needs one, by the start of the path."""
_ANY_KEY = ("/v1/models", "/v1/page", "/v1/monitor", "/metrics", "/docs", "/openapi.json")


@dataclass(frozen=True, slots=True)
class Client:
    """A known key."""

    hash: str
    name: str
    scopes: frozenset[str]


def clients_of(settings: ServeSettings) -> list[Client]:
    """All keys. Those without a name open what every key opened: all but review, which shows pictures."""
    nameless = frozenset(("detect", "admin", CORRECT))
    found = [Client(one.hash, one.name, frozenset(one.scopes)) for one in settings.api_keys]
    return found + [Client(one, "", nameless) for one in settings.api_key_hashes]


def key_name(scope: Scope) -> str:
    """Name of the key that the request came with; empty without keys, and for a key without a name."""
    return str(scope["state"].get("key_name", ""))


def scopes_for(path: str) -> tuple[str, ...] | None:
    """The scopes of which a key needs one; None if any key will do."""
    if path in _ANY_KEY:
        return None
    return next((scopes for start, scopes in _SCOPES if path.startswith(start)), ("detect",))


def is_open(path: str) -> bool:
    """Whether a path needs no key: health, and the web pages, which ask for what their requests then need."""
    return path in OPEN_PATHS or path.startswith(PAGE_FILES)


class ApiKeys:
    """ASGI middleware. A client sends its key as `Authorization: Bearer KEY` or `X-API-Key: KEY`."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        clients: Sequence[Client],
        answer: Callable[[Scope, Exception], Response],
        open_cors_paths: frozenset[str] = frozenset(),
    ) -> None:
        """`answer` makes the response; `open_cors_paths`: where pages of any origin may read a refusal."""
        self._app = app
        self._clients = tuple(clients)
        self._answer = answer
        self._open_cors_paths = open_cors_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._open(scope):
            await self._app(scope, receive, send)
            return
        client = self._client(Headers(scope=scope))
        needed = scopes_for(scope["path"])
        if client is None:
            await self._refuse(_unknown(), "Bearer", scope, receive, send)
        elif needed is not None and client.scopes.isdisjoint(needed):
            challenge = f'Bearer error="insufficient_scope", scope="{needed[0]}"'
            await self._refuse(_too_narrow(needed[0]), challenge, scope, receive, send)
        else:
            scope["state"]["key_name"] = client.name
            if client.name:
                note(scope, key=client.name)
            await self._app(scope, receive, send)

    def _open(self, scope: Scope) -> bool:
        # A browser sends no key with its CORS preflight, and learns nothing from the answer.
        return is_open(scope["path"]) or scope["method"] == "OPTIONS"

    def _client(self, headers: Headers) -> Client | None:
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        key = bearer.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "")
        given = hash_key(key)
        # All are compared, so that the time does not reveal which one was close.
        matches = [one for one in self._clients if hmac.compare_digest(given, one.hash)]
        return matches[0] if key and matches else None

    async def _refuse(
        self, refusal: Refusal, challenge: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        response = self._answer(scope, refusal)
        response.headers["www-authenticate"] = challenge
        if scope["path"] in self._open_cors_paths:
            response.headers.update(OPEN_CORS)
        await response(scope, receive, send)


def _unknown() -> Unauthorised:
    return Unauthorised(
        "the request has no valid API key", "send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
    )


def _too_narrow(needed: str) -> WrongScope:
    return WrongScope(
        f"the API key does not have the scope {needed}",
        "use another key, or ask the operator to add the scope to this one in serve.api_keys",
    )
