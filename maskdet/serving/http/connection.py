"""uvicorn's HTTP/1.1 connection plus limits on headers, framing and connections, timeouts, a graceful end."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import NoReturn, cast

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from maskdet.serving.http.access import RefusalLog
from maskdet.serving.http.peer import Fault, Peer, peer_of
from maskdet.serving.http.problems import Problem, ProblemBody
from maskdet.serving.http.stalls import StallWatch
from maskdet.serving.http.transport import JoinedWrites
from maskdet.serving.settings import ServeSettings

CHUNK_FRAMING = 8
"""Bytes on the wire per byte of a body: a chunk of one byte, with its length and line ends, takes six."""
HEAD = "headers_too_large"
MAX_HEADERS = 200
"""Header lines of one request."""
MAX_QUERY_FIELDS = 500
"""Fields in the query of one request."""
FREE_CHUNKS = 1000
"""Chunks of a body that may be of any size; beyond them they have MEAN_CHUNK bytes on average."""
MEAN_CHUNK = 16
FEED_BYTES = 1 << 14
"""Bytes parsed at once. They can be hundreds of requests, each of which waits until the ones before it are
answered.
"""
A_MOMENT = 200
"""Chunks after which other connections get their turn."""
LINGER_SECONDS = 2.0
"""How long to keep reading from a refused client that is still sending."""
LINGER_BYTES = 1 << 23
"""Bytes it may send in that time."""


class Refused(Exception):
    """Stops the parser, which turns it into its own error."""


class GuardedConnection(HttpToolsProtocol):
    """One connection. Limits are class attributes, set by `guarded`."""

    header_seconds = 10.0
    max_header_bytes = 32 * 1024
    max_connections = 1024
    refusals: RefusalLog

    _header_timer: asyncio.TimerHandle | None = None
    _linger_timer: asyncio.TimerHandle | None = None
    _stall_watch: StallWatch | None = None
    _linger_bytes = LINGER_BYTES
    _head_bytes = 0
    _head_lines = 0
    _chunks = 0
    _body_bytes = 0
    _fault: Fault | None = None
    _joined: JoinedWrites
    _peer: Peer
    _refused = False
    _waiting = b""
    """Bytes after a queued request."""
    _part = b""
    """What the parser is reading."""
    _again = b""
    """What it is to read next: a head once more, without its offer of another protocol, and what follows."""
    _offered = False
    """Whether the head makes such an offer."""
    _in_head = True
    """Whether the parser has yet to see the end of the head."""
    _unaccounted = 0
    """Bytes of the request that are neither parsed headers nor body: an endless header, say."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._joined = JoinedWrites(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, self._joined))
        if len(self.connections) > self.max_connections:
            transport.close()
            return
        # asyncio does it only for sockets with IPPROTO_TCP, which accepted ones lack. Without it the last
        # part of each response waits 40 ms for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stall_watch = StallWatch(self._joined, self.loop, self.timeout_keep_alive)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            self._discard(len(data))
        else:
            self._feed(self._waiting + data)

    def on_response_complete(self) -> None:
        """Called by uvicorn when a request is answered."""
        # Now, not in the loop's next turn: what follows, such as the log's line, keeps no client waiting.
        self._joined.flush()
        super().on_response_complete()
        if self._waiting:
            self.flow.pause_reading()
            self.loop.call_soon(self._feed_waiting)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._waiting = b""
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        if self._stall_watch is not None:
            self._stall_watch.stop()
        self._lose_peer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Called by the parser, like the others here."""
        self._head_bytes = self._head_lines = self._chunks = self._body_bytes = 0
        self._offered, self._in_head = False, True
        super().on_message_begin()
        self._peer = peer_of(cast(Scope, self.scope))

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        if url.count(b"&") >= MAX_QUERY_FIELDS:
            self._stop(Fault(431, HEAD, f"the query has more than {MAX_QUERY_FIELDS} fields"))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        self._head_lines += 1
        if self._head_lines > MAX_HEADERS:
            self._stop(Fault(431, HEAD, f"there are more than {MAX_HEADERS} headers"))
        # The parser reports trailers here too. They must not pass for headers: RFC 9110, section 6.5.1.
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        # The parser takes what follows such an offer for the other protocol: the body would be lost.
        self._offered = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        if not self._offered:
            super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """The start of a chunk of the body."""
        self._chunks += 1
        if self._chunks > FREE_CHUNKS + self._body_bytes / MEAN_CHUNK:
            self._stop(
                Fault(
                    400,
                    "chunks_too_small",
                    f"the body's chunks have fewer than {MEAN_CHUNK} bytes on average",
                )
            )

    def on_body(self, body: bytes) -> None:
        self._unaccounted = max(0, self._unaccounted - CHUNK_FRAMING * len(body))
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._offered:
            return
        self._unaccounted = 0
        self._peer.sent_all = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not an HTTP request, in our format."""
        self._refuse(self._fault or Fault(400, "malformed_request", msg))

    def _unsupported_upgrade_warning(self) -> None:
        """Called by uvicorn once the parser has stopped behind such a head. A client that offers another
        protocol (Java's, curl --http2) is answered in HTTP/1.1, without a log line.
        """
        stopped = sys.exc_info()[1]
        if self._offered and stopped is not None:
            self._again = self._head_without_offer() + self._part[stopped.args[0] :]
            self.parser = httptools.HttpRequestParser(self)
            # As uvicorn does.
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def _head_without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self.max_header_bytes:
            self._stop(self._head_fault())

    def _await_headers(self) -> None:
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(self.header_seconds, self._headers_late)

    def _stop_waiting(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _headers_late(self) -> None:
        self._header_timer = None
        self._refuse(
            Fault(408, "slow_headers", f"the headers did not arrive within {self.header_seconds:g} s")
        )

    def _head_fault(self) -> Fault:
        return Fault(431, HEAD, f"the headers have more than {self.max_header_bytes} bytes")

    def _stop(self, fault: Fault) -> NoReturn:
        """Called in the parser, which turns the exception into a call of `send_400_response`."""
        self._fault = fault
        raise Refused

    def _refuse(self, fault: Fault) -> None:
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._stop_waiting()
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            problem = Problem(
                code=fault.code,
                message=fault.message,
                hint="check the client or the proxy",
                request_id=self._recorded(fault),
            )
            body = ProblemBody(error=problem).model_dump_json().encode()
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(STATUS_LINE[fault.status] + head % len(body) + body)
        self._linger()

    def _recorded(self, fault: Fault) -> str:
        """The id of the refused request, empty if it has none yet, once its line in the log is seen to."""
        if self.cycle is None or self.cycle.response_complete:
            return self.refusals.enter(fault, self.client)
        scope = cast(Scope, self.cycle.scope)
        peer_of(scope).fault = fault
        return str(scope["state"].get("request_id", ""))

    def _linger(self) -> None:
        """Close our side only: closing both while the client sends would reset the connection."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._lose_peer()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._linger_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _lose_peer(self) -> None:
        """Tell whoever answers the request that nobody waits for the answer any more."""
        if self.cycle is not None and not self.cycle.response_complete:
            peer_of(cast(Scope, self.cycle.scope)).leave()

    def _discard(self, count: int) -> None:
        self._linger_bytes -= count
        if self._linger_bytes < 0:
            self.transport.close()

    def _feed(self, data: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._await_headers()
        start, chunks = 0, self._chunks
        while (
            start < len(data) and not self.pipeline and not self._refused and self._chunks - chunks < A_MOMENT
        ):
            part = data[start : start + FEED_BYTES]
            self._unaccounted += len(part)
            while part:
                self._part, self._again = part, b""
                super().data_received(part)
                part = self._again
            if self._unaccounted > self.max_header_bytes:
                self._refuse(self._head_fault())
            start += FEED_BYTES
        self._waiting = b"" if self._refused else data[start:]
        if self._waiting:
            self.flow.pause_reading()
            self.loop.call_soon(self._feed_waiting)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()

    def _feed_waiting(self) -> None:
        if self._waiting and not self.pipeline and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._feed(self._waiting)
            if not self._waiting:
                self.flow.resume_reading()


def guarded(settings: ServeSettings, refusals: RefusalLog) -> type[GuardedConnection]:
    """The connection class with the limits from the settings; it enters what it refuses in `refusals`."""
    attributes = {
        "header_seconds": settings.header_seconds,
        "max_header_bytes": settings.max_header_bytes,
        "max_connections": settings.max_connections,
        "refusals": refusals,
    }
    return type("GuardedConnection", (GuardedConnection,), attributes)
