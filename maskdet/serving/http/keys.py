"""API keys: several, kept as hashes, compared in constant time, on every route except health."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from maskdet.serving.http.access import note_error, request_id
from maskdet.serving.http.hashing import hash_key
from maskdet.serving.http.problems import problem_response
from maskdet.serving.refusals import Unauthorised

PAGE_FILES = "/web/"
OPEN_PATHS = (
    "/",
    "/monitor",
    "/health",
    "/health/live",
    "/health/ready",
    "/v2/health/live",
    "/v2/health/ready",
)


class ApiKeys:
    """ASGI middleware. A client sends its key as `Authorization: Bearer KEY` or `X-API-Key: KEY`."""

    def __init__(self, app: ASGIApp, *, hashes: Sequence[str]) -> None:
        self._app = app
        self._hashes = tuple(hashes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._open(scope) or self._known(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refusal = Unauthorised(
            "the request has no valid API key", "send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
        )
        note_error(scope, refusal)
        response = problem_response(refusal, request_id(scope))
        response.headers["www-authenticate"] = "Bearer"
        await response(scope, receive, send)

    def _open(self, scope: Scope) -> bool:
        # A browser sends no key with its CORS preflight, and learns nothing from the answer.
        # The web page itself is public, and asks for the key that its requests then need.
        path = scope["path"]
        return path in OPEN_PATHS or path.startswith(PAGE_FILES) or scope["method"] == "OPTIONS"

    def _known(self, headers: Headers) -> bool:
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        key = bearer.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "")
        given = hash_key(key)
        # All are compared, so that the time does not reveal which one was close.
        matches = [hmac.compare_digest(given, known) for known in self._hashes]
        return bool(key) and any(matches)
