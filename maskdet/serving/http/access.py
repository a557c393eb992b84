"""ASGI middleware around every request: its id, its line in the access log, and a graceful end."""

from __future__ import annotations

import logging
import re
import secrets
import time
from http import HTTPStatus
from itertools import count
from typing import Any

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maskdet.serving.engine.ledger import Ledger
from maskdet.serving.engine.metrics import Metrics
from maskdet.serving.http.peer import Fault, peer_of
from maskdet.serving.http.problems import INTERNAL, kind_of

_PROCESS = secrets.token_hex(6)
_NUMBERS = count(1)
# Random once per process, then counted: unique, without a system call per request.

BUNDLE_HEADER, VERSION_HEADER = "x-maskdet-bundle", "x-maskdet-version"
"""Name the bundles behind a response, and their numbers in the registry, in every dialect."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

logger = logging.getLogger("maskdet.access")


def request_id(scope: Scope) -> str:
    """The id that `AccessLog` gave the request."""
    return str(scope["state"]["request_id"])


def note(scope: Scope, **fields: Any) -> None:
    """Add fields to the request's line in the access log."""
    scope["state"]["log"].update(fields)


def note_error(scope: Scope, error: Exception) -> None:
    """Record in the access log and the metrics why a request, or one of its pictures, was refused."""
    code = kind_of(error).code
    note(scope, error=code)
    # Clients are told no more of it than the id.
    if code == INTERNAL:
        fields = {"request_id": request_id(scope), "error": f"{type(error).__name__}: {error}"}
        logger.error("request failed", extra={"fields": fields})


def answered_by(scope: Scope, bundles: str, versions: str) -> None:
    """Name the bundles behind the response, and the versions of registered ones, in its headers."""
    named = {BUNDLE_HEADER: bundles, VERSION_HEADER: versions}
    scope["state"]["answerers"] = {header: text for header, text in named.items() if text}


class AccessLog:
    """Takes a client's X-Request-ID or generates one, returns it, logs and counts each request."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, ledger: Ledger) -> None:
        self._app = app
        self._metrics = metrics
        self._ledger = ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        given = Headers(scope=scope).get("x-request-id", "")
        state["request_id"] = given if REQUEST_ID.fullmatch(given) else _new_id()
        state["log"] = {}
        status = 500
        started = time.perf_counter()

        async def tagged(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = state["request_id"]
                headers.update(state.get("answerers", {}))
            await send(message)

        try:
            await self._app(scope, receive, tagged)
        finally:
            seconds, moment = time.perf_counter() - started, time.time()
            fault = peer_of(scope).fault
            if fault is not None:
                status = fault.status
                note(scope, error=fault.code)
            self._ledger.enter(lambda: _write_down(self._metrics, scope, status, seconds, moment))


class RefusalLog:
    """Logs and counts what a connection refuses by itself, so that no request reaches the application."""

    def __init__(self, metrics: Metrics, ledger: Ledger) -> None:
        self._metrics = metrics
        self._ledger = ledger

    def enter(self, fault: Fault, client: tuple[str, int] | None) -> str:
        """The id under which it is logged. Method and path may not even have arrived."""
        state = {"request_id": _new_id(), "log": {"error": fault.code}}
        scope = {"state": state, "client": client, "method": "", "path": ""}
        moment = time.time()
        self._ledger.enter(lambda: _write_down(self._metrics, scope, fault.status, 0.0, moment))
        return request_id(scope)


def _new_id() -> str:
    return f"{_PROCESS}-{next(_NUMBERS)}"


def _write_down(metrics: Metrics, scope: Scope, status: int, seconds: float, moment: float) -> None:
    fields = scope["state"]["log"]
    _log(scope, status, seconds, moment)
    code = fields.get("error", INTERNAL if status == HTTPStatus.INTERNAL_SERVER_ERROR else "")
    metrics.request(scope["method"], _route(scope), status, seconds, code)


def _route(scope: Scope) -> str:
    """The route's pattern: clients choose paths, and must not choose the number of metric series."""
    return getattr(scope.get("route"), "path", "other")


def _log(scope: Scope, status: int, seconds: float, moment: float) -> None:
    """`moment`: when the response was sent (time.time)."""
    if not logger.isEnabledFor(logging.INFO):
        return
    client = scope.get("client")
    fields = {
        "request_id": scope["state"]["request_id"],
        "client": client[0] if client else "",
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "ms": round(seconds * 1000, 2),
        **scope["state"]["log"],
    }
    record = logger.makeRecord(
        logger.name, logging.INFO, "", 0, "request", (), None, extra={"fields": fields}
    )
    record.created = moment
    logger.handle(record)


class Linger:
    """Lets a client that is still sending read its response.

    If a response (413, 404, 503 ...) goes out before the whole body has arrived, closing the socket at once
    would reset the connection. So the response is sent, further data is discarded up to a limit, and then the
    connection is closed.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or peer_of(scope).sent_all or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        unread = True

        async def watched() -> Message:
            nonlocal unread
            message = await receive()
            unread = unread and message.get("more_body", False)
            return message

        async def lingering(message: Message) -> None:
            if message["type"] == "http.response.start":
                if unread:
                    MutableHeaders(scope=message)["connection"] = "close"
            elif unread and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await self._discard(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, watched, lingering)

    async def _discard(self, receive: Receive) -> None:
        left = self._max_bytes
        with anyio.move_on_after(self._seconds):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    # A client that asked for `100 Continue` has not started sending and will not, once refused.
    if headers.get("expect", "").lower() == "100-continue":
        return False
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
