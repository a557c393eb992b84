"""uvicorn's HTTP/1.1 connection with what it lacks: limits on heads, times for slow clients, a cap."""

from __future__ import annotations

import asyncio
import socket

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from maskdet.serving.http.problems import Problem, ProblemBody
from maskdet.serving.settings import ServeSettings

CHUNK_FRAMING = 8
"""Bytes that one byte of a body may cost: a chunk of its own, with its length and line ends, takes six."""


class HeadTooLarge(Exception):
    """A request's line and headers have more bytes than the limit."""


class GuardedConnection(HttpToolsProtocol):
    """One connection. Limits are class attributes, set by `guarded`."""

    header_seconds = 10.0
    max_header_bytes = 32 * 1024
    max_connections = 1024

    _header_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _unaccounted = 0
    """Bytes of the request that are neither parsed headers nor body: an endless header, say."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.close()
            return
        # asyncio does it only for sockets that say IPPROTO_TCP, which accepted ones do not. Without it the
        # last part of each answer waits 40 ms for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._await_headers()
        self._unaccounted += len(data)
        super().data_received(data)
        if self._unaccounted > self.max_header_bytes:
            self._refuse_head()
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Called by the parser, as the others here."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._unaccounted = max(0, self._unaccounted - CHUNK_FRAMING * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unaccounted = 0
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection; one whose client does not read its answer would never end politely."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no HTTP request, in our form."""
        if self._head_bytes > self.max_header_bytes:
            self._refuse_head()
        else:
            self._refuse(400, "malformed_request", msg)

    def _unsupported_upgrade_warning(self) -> None:
        """A client that offers another protocol is answered in HTTP/1.1; that is no reason for a log line."""

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self.max_header_bytes:
            # The parser turns it into its own error, and that ends in `send_400_response`.
            raise HeadTooLarge

    def _await_headers(self) -> None:
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(self.header_seconds, self._headers_late)

    def _stop_waiting(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _headers_late(self) -> None:
        self._header_timer = None
        self._refuse(408, "slow_headers", f"the headers did not arrive within {self.header_seconds:g} s")

    def _refuse_head(self) -> None:
        self._refuse(431, "headers_too_large", f"the headers have more than {self.max_header_bytes} bytes")

    def _refuse(self, status: int, code: str, message: str) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            problem = Problem(code=code, message=message, hint="check the client or the proxy", request_id="")
            body = ProblemBody(error=problem).model_dump_json().encode()
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + head % len(body) + body)
        self.transport.close()


def guarded(settings: ServeSettings) -> type[GuardedConnection]:
    """The connection class with the limits of some settings."""
    limits = {
        "header_seconds": settings.header_seconds,
        "max_header_bytes": settings.max_header_bytes,
        "max_connections": settings.max_connections,
    }
    return type("GuardedConnection", (GuardedConnection,), limits)
