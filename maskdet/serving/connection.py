"""uvicorn's HTTP/1.1 connection with what it lacks: times for slow clients, a cap on connections."""

from __future__ import annotations

import asyncio
import socket

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from maskdet.serving.problems import Problem, ProblemBody
from maskdet.serving.settings import ServeSettings


class GuardedConnection(H11Protocol):
    """One connection. Limits are class attributes, set by `guarded`."""

    header_seconds = 10.0
    max_connections = 1024

    _header_timer: asyncio.TimerHandle | None = None

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
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection; one whose client does not read its answer would never end politely."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no HTTP request, in our form."""
        self._refuse(400, "malformed_request", msg)

    def _await_headers(self) -> None:
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(self.header_seconds, self._headers_late)

    def _stop_waiting(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _headers_late(self) -> None:
        self._header_timer = None
        if not self.transport.is_closing():
            self._refuse(408, "slow_headers", f"the headers did not arrive within {self.header_seconds:g} s")

    def _refuse(self, status: int, code: str, message: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            problem = Problem(code=code, message=message, hint="check the client or the proxy", request_id="")
            body = ProblemBody(error=problem).model_dump_json().encode()
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ]
            for event in (
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def guarded(settings: ServeSettings) -> type[GuardedConnection]:
    """The connection class with the limits of some settings."""
    limits = {"header_seconds": settings.header_seconds, "max_connections": settings.max_connections}
    return type("GuardedConnection", (GuardedConnection,), limits)
