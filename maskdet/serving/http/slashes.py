"""Paths with a slash too many or too few at the end: the client is sent to the route that was meant.

Starlette's own redirect goes to the host that the request names, which may be any, and to a path without what
a proxy has before ours.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send


class SlashRedirect:
    """ASGI application for what has no route in `router`."""

    def __init__(self, router: APIRouter) -> None:
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._has_route({**scope, "path": _other(scope["path"])}):
            await self._router.not_found(scope, receive, send)
            return
        # 307, so that a POST stays one.
        answer = Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers={"location": _location(scope)})
        await answer(scope, receive, send)

    def _has_route(self, scope: Scope) -> bool:
        return any(route.matches(scope)[0] is not Match.NONE for route in self._router.routes)


def _other(path: str) -> str:
    return path.removesuffix("/") if path.endswith("/") else f"{path}/"


def _location(scope: Scope) -> str:
    """Relative to the path that was asked for: "../x" for x/, "x/" for x."""
    path, query = scope["path"], scope["query_string"].decode("latin-1")
    # Quoted, so that no name of a module is taken for a scheme, a query or more of the path.
    name = quote(path.removesuffix("/").rpartition("/")[2], safe="")
    return (f"../{name}" if path.endswith("/") else f"{name}/") + (f"?{query}" if query else "")
