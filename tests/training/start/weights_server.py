"""A server of weight files on loopback whose faults a test can choose."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

CONTENT = np.random.default_rng(0).bytes(300_000)


@dataclass
class Behaviour:
    """What the server does. `cuts`: bytes after which one answer each breaks off, in their order."""

    content: bytes = CONTENT
    ranges: bool = True
    md5: str | None = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()  # noqa: S324 - as the header wants
    etag: str | None = '"one"'
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    redirect: str = ""
    length: str | None = None
    """What it says of the length, if not the truth."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Path and Range of every request."""


class _Server(ThreadingHTTPServer):
    behaviour: Behaviour


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        behaviour = self.server.behaviour
        behaviour.requests.append((self.path, self.headers.get("Range", "")))
        if behaviour.redirect and not self.path.startswith("/moved"):
            self._answer(302, b"", {"Location": behaviour.redirect})
        elif behaviour.statuses:
            self._answer(behaviour.statuses.pop(0), b"no", {})
        else:
            self._send(behaviour)

    def _send(self, behaviour: Behaviour) -> None:
        start = self._start(behaviour)
        body = behaviour.content[start:]
        headers = {"Content-MD5": behaviour.md5, "ETag": behaviour.etag}
        if start:
            whole = len(behaviour.content)
            headers["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}"
        cut = behaviour.cuts.pop(0) if behaviour.cuts else len(body)
        self._answer(206 if start else 200, body, headers, cut)

    def _start(self, behaviour: Behaviour) -> int:
        wanted = self.headers.get("Range", "")
        if not wanted or not behaviour.ranges or self.headers.get("If-Range") != behaviour.etag:
            return 0
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str | None], cut: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.send_header("Content-Length", self.server.behaviour.length or str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        if cut is not None and cut < len(body):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[str]:
    """The address of a running server."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.behaviour = behaviour
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
