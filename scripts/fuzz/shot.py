"""One request as bytes, how it is sent, and what is wrong with its response."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from served import ROOT

TIMEOUT_SECONDS = 40.0
LEAKS = (b"Traceback", b"site-packages", b'File "', b".py", str(ROOT).encode())
"""What no response may contain."""


@dataclass(frozen=True)
class Shot:
    """One request as bytes, and how it is sent."""

    what: str
    data: bytes
    manner: str = "whole"
    """whole, in pieces, cut (the rest never sent, the sending side closed), or gone (closed at once)."""


def fired(port: int, shot: Shot, seconds: float = TIMEOUT_SECONDS) -> tuple[int, str]:
    """Send it; the response's status (0 for none) and what is wrong with it, empty if nothing is."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            send(connection, shot)
            while shot.manner != "gone" and (part := connection.recv(1 << 16)):
                answer += part
    except TimeoutError:
        return 0, f"no answer within {seconds:g} s"
    except ConnectionError:
        # A client that keeps sending for longer than a refusing server reads sees a reset.
        return judged(answer)
    if not answer and shot.manner in {"whole", "in pieces"}:
        return 0, "the connection was closed without an answer"
    return judged(answer)


def send(connection: socket.socket, shot: Shot) -> None:
    data = shot.data
    if shot.manner == "in pieces":
        for start in range(0, min(len(data), 400), 40):
            connection.sendall(data[start : start + 40])
            time.sleep(0.005)
        connection.sendall(data[400:])
    elif shot.manner in {"cut", "gone"}:
        connection.sendall(data[: len(data) * 2 // 3])
    else:
        connection.sendall(data)
    if shot.manner == "cut":
        connection.shutdown(socket.SHUT_WR)


def judged(answer: bytes) -> tuple[int, str]:
    if not answer:
        return 0, ""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 "):
        return 0, f"no HTTP: {answer[:100]!r}"
    status = int(head[9:12])
    leaks = [leak.decode() for leak in LEAKS if leak in head or (leak in body and b"json" in head.lower())]
    if leaks:
        return status, f"leaks {leaks[0]!r}: {body[:300]!r}"
    busy = status == 503 and b"retry-after" in head.lower()
    return status, f"status {status}: {body[:300]!r}" if status >= 500 and not busy else ""
