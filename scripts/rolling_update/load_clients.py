"""Clients that send a picture again and again over TLS, each on a connection of its own that it keeps."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from types import TracebackType
from typing import NamedTuple

from typing_extensions import Self

TIMEOUT_SECONDS = 60.0


class Answer(NamedTuple):
    """One request's end. status: 0 if the connection failed, and then `text` says how."""

    status: int
    millis: float
    text: str


class Clients:
    """Threads that load a server during the block."""

    def __init__(
        self, port: int, trust: ssl.SSLContext, picture: bytes, count: int, pause: float = 0.0
    ) -> None:
        self._port = port
        self._trust = trust
        self._picture = picture
        self._pause = pause
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._answers: list[Answer] = []
        self._threads = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def taken(self) -> list[Answer]:
        """The answers since the last call."""
        with self._lock:
            answers, self._answers = self._answers, []
        return answers

    def _ask_on(self) -> None:
        connection = http.client.HTTPSConnection(
            "localhost", self._port, timeout=TIMEOUT_SECONDS, context=self._trust
        )
        while not self._ending.is_set():
            answer = self._ask(connection)
            with self._lock:
                self._answers.append(answer)
            self._ending.wait(self._pause)
        connection.close()

    def _ask(self, connection: http.client.HTTPSConnection) -> Answer:
        started = time.perf_counter()
        status, text = 0, ""
        try:
            connection.request("POST", "/v1/detect", self._picture, {"content-type": "image/jpeg"})
            answer = connection.getresponse()
            body = answer.read()
            status = answer.status
            text = "" if status == http.client.OK else body[:200].decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            text = repr(error)
            connection.close()
        return Answer(status, (time.perf_counter() - started) * 1000, text)
