"""Cuts off clients that do not read their responses."""

from __future__ import annotations

import asyncio
import sys

from maskdet.serving.http.transport import JoinedWrites


class StallWatch:
    """Aborts a connection whose client takes nothing of a waiting response for `seconds`, or at most twice
    as long.

    Closing a connection does not end it: that waits until everything has been sent, for ever if need be. The
    watch looks at intervals, so that responses which are read cost nothing.
    """

    def __init__(self, transport: JoinedWrites, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._transport, self._loop, self._seconds = transport, loop, seconds
        self._taken: int | None = None
        self._await_look()

    def stop(self) -> None:
        """Called once the connection has ended."""
        self._timer.cancel()

    def _await_look(self) -> None:
        self._timer = self._loop.call_later(self._seconds, self._look)

    def _look(self) -> None:
        waiting = self._transport.get_write_buffer_size()
        taken = self._transport.written - waiting - self._in_system() if waiting else None
        if waiting and taken == self._taken:
            self._transport.abort()
        else:
            self._taken = taken
            self._await_look()

    def _in_system(self) -> int:
        """Bytes that the system holds, 0 where it does not say. It takes more from us in lumps of up to
        megabytes, between which a slow client reads for minutes.
        """
        if sys.platform != "linux":
            return 0
        import fcntl  # noqa: PLC0415  (POSIX only)
        import termios  # noqa: PLC0415

        number = self._transport.get_extra_info("socket").fileno()
        return int.from_bytes(fcntl.ioctl(number, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
