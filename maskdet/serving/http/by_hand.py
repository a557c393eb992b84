"""Routes whose handlers take the request and read it by themselves: FastAPI only documents them.

Its own way to a handler, through a stack of wrappers, takes more time than everything else in a request
besides its picture.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from maskdet.errors import MaskdetError
from maskdet.serving.http.access import note_error

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
OnError = Callable[[Request, Exception], Coroutine[Any, Any, Response]]


class ByHand(APIRoute):
    """A route whose handler takes the request and nothing else."""

    @property
    def by_hand(self) -> bool:
        """Whether this one does: routes with parameters in their path are FastAPI's to call."""
        return list(inspect.signature(self.endpoint).parameters) == ["request"]

    def get_route_handler(self) -> Handler:
        handler: Handler = self.endpoint if self.by_hand else super().get_route_handler()
        return handler


def errors_as(form: Callable[[MaskdetError], Response]) -> type[ByHand]:
    """A route class whose refusals are answered in a dialect's own format."""

    class InOwnForm(ByHand):
        def get_route_handler(self) -> Handler:
            handler = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                try:
                    return await handler(request)
                except MaskdetError as error:
                    note_error(request.scope, error)
                    return form(error)

            return guarded

    return InOwnForm


class Shortcut:
    """ASGI middleware that calls the handler of a route by hand, found by method and path."""

    def __init__(self, app: ASGIApp, *, routers: Iterable[APIRouter], on_error: OnError) -> None:
        """`on_error` answers what a handler raises."""
        self._app = app
        self._on_error = on_error
        self.routes: dict[tuple[str, str], tuple[APIRoute, Handler]] = {}
        for route in (each for router in routers for each in router.routes):
            if isinstance(route, ByHand) and route.by_hand and not route.param_convertors:
                for method in route.methods or ():
                    self.routes.setdefault((method, route.path), (route, route.get_route_handler()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self.routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        # As Starlette does, for the metrics.
        scope["route"], handler = found
        request = Request(scope, receive, send)
        try:
            response = await handler(request)
        except MaskdetError as error:
            response = await self._on_error(request, error)
        except Exception as error:
            response = await self._on_error(request, error)
            await response(scope, receive, send)
            # For the server's log.
            raise
        await response(scope, receive, send)
