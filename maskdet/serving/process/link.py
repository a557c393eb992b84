"""A worker's line to its supervisor: JSON objects, one per line, over a socket pair."""

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
    """Reports this worker's state to the supervisor, follows its orders, and passes requests for all workers
    on.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        # The loop closes the socket that it uses; a failure is reported after that.
        self._last_word = line.dup()
        self._reloader: Reloader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._asked: asyncio.Future[list[Reloaded]] | None = None
        self._turn = asyncio.Lock()

    def ready(self, thresholds: Thresholds) -> None:
        """Report that the models have passed their probe, and their thresholds."""
        self._send({"event": "ready", "thresholds": dict(thresholds)})

    def failed(self, error: MaskdetError) -> None:
        """Report why this worker cannot start; it is not listening, or no longer is."""
        said = {"event": "failed", "kind": type(error).__name__, "what": error.what, "hint": error.hint}
        with contextlib.suppress(OSError):
            self._last_word.setblocking(True)
            self._last_word.sendall(json.dumps(said).encode() + b"\n")

    def refused(self) -> Mapping[str, str]:
        """By model: why its newest file was refused by this worker."""
        return self._reloader.refused() if self._reloader else {}

    async def reload(self, name: str = "") -> Sequence[Reloaded]:
        """Have every worker check one model's file, or all of them. Raises UnknownModel."""
        if self._reloader is None:
            raise NotReady("the worker is still starting", "try again in a moment")
        if name and name not in self._reloader.names:
            raise UnknownModel.named(name, self._reloader.names)
        async with self._turn:
            self._asked = asyncio.get_running_loop().create_future()
            self._send({"event": "reload", "model": name})
            return await self._asked

    async def connect(self) -> asyncio.StreamReader:
        """Attach the line to this event loop; messages from the supervisor are read by `listen`."""
        reader, self._writer = await asyncio.open_connection(sock=self._line, limit=MAX_LINE)
        return reader

    async def listen(
        self, reader: asyncio.StreamReader, reloader: Reloader, on_gone: Callable[[], None]
    ) -> None:
        """Follow the supervisor's orders until it is gone; an orphaned worker ends too."""
        self._reloader = reloader
        while text := await reader.readline():
            await self._obey(json.loads(text), reloader)
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(Draining("the server is stopping", "try again in a moment"))
        on_gone()

    async def _obey(self, asked: dict[str, Any], reloader: Reloader) -> None:
        if asked["command"] == "reload":
            found = await reloader.reload(asked["model"])
            self._send({"event": "reloaded", "round": asked["round"], "models": to_plain(found)})
        elif self._asked is not None and not self._asked.done():
            self._asked.set_result(merged([Reloaded(**one) for one in asked["models"]]))

    def _send(self, said: dict[str, Any]) -> None:
        if self._writer is not None:
            self._writer.write(json.dumps(said).encode() + b"\n")
