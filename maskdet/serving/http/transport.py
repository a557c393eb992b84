"""A transport that sends a response's head and body together."""

from __future__ import annotations

import asyncio
from typing import Any

HELD_BYTES = 1 << 16
"""What is held at most; then it is sent at once, and the transport's own flow control applies."""


class JoinedWrites:
    """A transport whose writes of one turn of the event loop are one write.

    uvicorn writes a response's head and its body apart, two system calls and often two packets. A server
    that is killed in between leaves its client half a response, and a proxy that has passed the head on
    cannot ask another server.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held: list[bytes] = []
        self._size = 0
        self.written = 0
        """Bytes, sent or not."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(data)
        self._size += len(data)
        self.written += len(data)
        if self._size > HELD_BYTES:
            self.flush()

    def write_eof(self) -> None:
        self.flush()
        self._transport.write_eof()

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        self._held.clear()
        self._size = 0
        self._transport.abort()

    def get_write_buffer_size(self) -> int:
        return self._size + self._transport.get_write_buffer_size()

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            data = b"".join(self._held)
            self._held.clear()
            self._size = 0
            self._transport.write(data)
