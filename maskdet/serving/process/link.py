"""A worker's line to its supervisor: JSON objects, one a line, over a socket pair."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maskdet.errors import MaskdetError
from maskdet.serving.engine.reload import Reloaded, Reloader, merged, to_plain
from maskdet.serving.process.readiness import Thresholds
from maskdet.serving.refusals import Draining, NotReady, UnknownModel

MAX_LINE = 1 << 20
"""Bytes of one message."""


class Link:
    """Tells the supervisor how this worker is, does what it asks, and asks it what concerns all workers."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        # The loop closes the socket that it works with; a failure is said after that.
        self._last_word = line.dup()
        self._reloader: Reloader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._asked: asyncio.Future[list[Reloaded]] | None = None
        self._turn = asyncio.Lock()

    def ready(self, thresholds: Thresholds) -> None:
        """Say that the models have answered their probe, and at which thresholds they answer."""
        self._send({"event": "ready", "thresholds": dict(thresholds)})

    def failed(self, error: MaskdetError) -> None:
        """Say why this worker cannot start; it has not listened yet, or no longer does."""
        said = {"event": "failed", "kind": type(error).__name__, "what": error.what, "hint": error.hint}
        with contextlib.suppress(OSError):
            self._last_word.setblocking(True)
            self._last_word.sendall(json.dumps(said).encode() + b"\n")

    def refused(self) -> Mapping[str, str]:
        """By model: why its newest file was refused by this worker."""
        return self._reloader.refused() if self._reloader else {}

    async def reload(self, name: str = "") -> Sequence[Reloaded]:
        """Let every worker look at one model's file, or at all. Raises UnknownModel."""
        if self._reloader is None:
            raise NotReady("the worker has only begun to start", "ask again in a moment")
        if name and name not in self._reloader.names:
            known = ", ".join(self._reloader.names)
            raise UnknownModel(f"no model is called {name[:80]!r}", f"loaded models: {known}")
        async with self._turn:
            self._asked = asyncio.get_running_loop().create_future()
            self._send({"event": "reload", "model": name})
            return await self._asked

    async def connect(self) -> asyncio.StreamReader:
        """Take the line into this event loop; what comes from the supervisor is read by `listen`."""
        reader, self._writer = await asyncio.open_connection(sock=self._line, limit=MAX_LINE)
        return reader

    async def listen(
        self, reader: asyncio.StreamReader, reloader: Reloader, on_gone: Callable[[], None]
    ) -> None:
        """Do what the supervisor asks, until it is gone; a worker alone ends too."""
        self._reloader = reloader
        while text := await reader.readline():
            await self._obey(json.loads(text), reloader)
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(Draining("the server is stopping", "ask again in a moment"))
        on_gone()

    async def _obey(self, asked: dict[str, Any], reloader: Reloader) -> None:
        if asked["command"] == "reload":
            found = await reloader.reload(asked["model"])
            self._send({"event": "reloaded", "models": to_plain(found)})
        elif self._asked is not None and not self._asked.done():
            self._asked.set_result(merged([Reloaded(**one) for one in asked["models"]]))

    def _send(self, said: dict[str, Any]) -> None:
        if self._writer is not None:
            self._writer.write(json.dumps(said).encode() + b"\n")
