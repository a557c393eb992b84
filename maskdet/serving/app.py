"""The ASGI application over one engine: FastAPI and its routes, inside what every request passes through."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from maskdet import __version__
from maskdet.errors import MaskdetError
from maskdet.inbox.inbox import Inbox
from maskdet.serving.capture.capture import Capture
from maskdet.serving.dialects.registry import dialect_routes, error_forms, open_cors_paths
from maskdet.serving.engine.engine import Engine
from maskdet.serving.http.access import AccessLog, Linger
from maskdet.serving.http.answering import ErrorAnswers
from maskdet.serving.http.body import BodyReader
from maskdet.serving.http.by_hand import Shortcut
from maskdet.serving.http.cors import Cors
from maskdet.serving.http.keys import ApiKeys, clients_of
from maskdet.serving.http.slashes import SlashRedirect
from maskdet.serving.http.unpacking import Unpacker
from maskdet.serving.inbox import open_inbox
from maskdet.serving.routes.admin import Reloading, admin_routes
from maskdet.serving.routes.corrections import correction_routes
from maskdet.serving.routes.docs import docs_routes
from maskdet.serving.routes.health import health_routes, metrics_routes
from maskdet.serving.routes.monitor import monitor_routes
from maskdet.serving.routes.native import native_routes
from maskdet.serving.routes.openapi import DocumentedApi
from maskdet.serving.routes.page import page_routes
from maskdet.serving.routes.review import review_routes
from maskdet.serving.service import Service
from maskdet.serving.settings import ServeSettings

LINGER_SECONDS = 2.0
"""How long to keep reading from a refused client that is still sending."""


@dataclass(frozen=True, slots=True)
class Application:
    """api: FastAPI's part, with all routes and their documentation; entrance: the way to them."""

    api: DocumentedApi
    entrance: ASGIApp
    inbox: Inbox | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.entrance(scope, receive, send)


def create_app(engine: Engine, settings: ServeSettings, reloading: Reloading | None = None) -> Application:
    """All routes; live swaps only with `reloading`. The caller starts, probes and closes the engine."""
    api = DocumentedApi(
        keyed=settings.has_keys,
        title="maskdet",
        version=__version__,
        description="Finds faces in pictures and says whether they wear masks.",
        # FastAPI's own pages load their scripts from elsewhere; ours is in docs.py.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    api.router.default = SlashRedirect(api.router)
    reader = BodyReader(settings)
    engine.metrics.watch("held_bytes", "Bytes of request bodies in memory", lambda: reader.held_bytes)
    refused = reloading.refused if reloading else dict
    inbox = open_inbox(settings.inbox, settings) if settings.inbox else None
    capture = start_capture(inbox, settings, engine)
    service = Service(engine, reader, settings, engine.metrics, refused, inbox=inbox, capture=capture)
    # A body that takes long keeps nobody from watching the server.
    operation = Unpacker()
    routers = [
        *([admin_routes(service, reloading)] if reloading else []),
        native_routes(service),
        health_routes(engine, refused),
        docs_routes(api, operation),
        metrics_routes(engine, operation),
        monitor_routes(service, operation),
        page_routes(service),
        correction_routes(service),
        review_routes(service),
        *dialect_routes(service),
    ]
    for router in routers:
        api.include_router(router)
    answers = ErrorAnswers(error_forms(settings.dialects))
    api.add_exception_handler(Exception, answers.on_error)
    api.add_exception_handler(MaskdetError, answers.on_error)
    api.add_exception_handler(HTTPException, answers.on_http_error)
    shortcut = Shortcut(api, routers=routers, on_error=answers.on_error)
    return Application(api, _entrance(shortcut, engine, settings, answers), inbox)


def start_capture(inbox: Inbox | None, settings: ServeSettings, engine: Engine) -> Capture | None:
    """The running capture, if the settings have a policy for it."""
    if inbox is None or not settings.capture.active:
        return None
    capture = Capture(inbox, settings, engine)
    capture.start()
    return capture


def _entrance(app: ASGIApp, engine: Engine, settings: ServeSettings, answers: ErrorAnswers) -> ASGIApp:
    """The application inside its middleware, outside of FastAPI: its stack costs each request time."""
    open_paths = open_cors_paths(settings.dialects)
    if settings.has_keys:
        clients = clients_of(settings)
        app = ApiKeys(app, clients=clients, answer=answers.answer, open_cors_paths=open_paths)
    if settings.cors_origins:
        app = Cors(app, origins=settings.cors_origins, open_paths=open_paths)
    app = Linger(app, max_bytes=2 * settings.max_upload_bytes, seconds=LINGER_SECONDS)
    return AccessLog(app, metrics=engine.metrics, ledger=engine.ledger)
