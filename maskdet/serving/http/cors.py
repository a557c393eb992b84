"""What browsers ask before a page of one origin may read answers from another (CORS)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from maskdet.serving.http.access import BUNDLE_HEADER, VERSION_HEADER

ASKED_HEADERS = ("authorization", "content-type", "x-api-key", "x-camera", "x-request-id")
"""What a page of another origin may send."""
OPEN_CORS = {"access-control-allow-origin": "*"}
"""On every answer of the browser demos' paths, also on a refusal: else the page sees only that it failed."""


class Cors(CORSMiddleware):
    """CORS for the origins that the operator names; the browser demos' paths are always open."""

    def __init__(self, app: ASGIApp, origins: Sequence[str], open_paths: frozenset[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=ASKED_HEADERS,
            expose_headers=["retry-after", BUNDLE_HEADER, VERSION_HEADER, "x-request-id"],
        )
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._open_paths:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
