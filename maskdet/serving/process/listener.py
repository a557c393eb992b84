"""The listening socket: opened once, before anything slow, and shared by all workers."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

from maskdet.errors import ServingError

BACKLOG = 512
"""Connections that the system queues before they are accepted."""


class Listener(socket.socket):
    """A TCP socket whose backlog stays as it is.

    asyncio accepts up to `backlog` connections at a time. With 1 it accepts one, and leaves the others to
    idle workers; but it passes the same number to the system, which would then refuse bursts.
    """

    def listen(self, backlog: int = BACKLOG, /) -> None:
        """Listen with BACKLOG, whatever is requested."""
        del backlog
        super().listen(BACKLOG)


def listen(host: str, port: int) -> Listener:
    """A listening TCP socket. Raises ServingError with what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = Listener(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise _unavailable(host, port, error) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Where a client on this machine reaches the listener."""
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _unavailable(host: str, port: int, error: OSError) -> ServingError:
    if error.errno == errno.EADDRINUSE:
        return ServingError(
            f"port {port} of {host} is in use",
            f"choose another with --port (0 picks a free one), or `maskdet stop --port {port}`",
        )
    if error.errno == errno.EACCES:
        return ServingError(f"port {port} may not be opened by this user", "choose a port of 1024 or more")
    return ServingError(
        f"cannot listen on {host} port {port}: {error.strerror or error}",
        "pass an address of this machine with --host, such as 127.0.0.1 or 0.0.0.0",
    )
