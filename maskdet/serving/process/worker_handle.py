"""A worker process as its supervisor sees it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maskdet import errors
from maskdet.errors import MaskdetError, ServingError

MAX_LINE = 1 << 20
"""Bytes of one message."""


class WorkerProcess:
    """One process, and the line to it.

    failure: why it could not start, as it reported; thresholds: those of its models, reported when ready.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = process.pid
        self.ready = False
        self.failure: MaskdetError | None = None
        self.thresholds: dict[str, str] = {}
        self._process = process
        self._reader = reader
        self._writer = writer
        self._round = 0
        self._reloaded: asyncio.Future[list[Any]] | None = None
        self._missed = False

    @classmethod
    async def start(cls, job: dict[str, Any], listener: socket.socket, metrics: Path) -> WorkerProcess:
        """A new interpreter, not a fork: neither a CUDA context nor a thread's lock survives one.

        Raises OSError if the system cannot start one.
        """
        with contextlib.ExitStack() as left:
            ours, theirs = map(left.enter_context, socket.socketpair())
            numbers = (listener.fileno(), theirs.fileno())
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "maskdet.serving.process.worker",
                *map(str, numbers),
                stdin=asyncio.subprocess.PIPE,
                pass_fds=numbers,
                env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(metrics)},
                # Its own session: a terminal's Ctrl-C reaches only the supervisor, which then drains it.
                start_new_session=True,
            )
            theirs.close()
            left.pop_all()
        reader, writer = await asyncio.open_connection(sock=ours, limit=MAX_LINE)
        worker = cls(process, reader, writer)
        await worker._give(job)
        return worker

    async def listen(
        self, on_ready: Callable[[], None], on_reload: Callable[[WorkerProcess, str], None]
    ) -> int:
        """Read the worker's messages until it ends; its exit status, negative for a signal."""
        with contextlib.suppress(ConnectionError):
            while text := await self._reader.readline():
                said = json.loads(text)
                if said["event"] == "ready":
                    self._now_ready(said["thresholds"])
                    on_ready()
                elif said["event"] == "failed":
                    self.failure = _failure(said)
                elif said["event"] == "reload":
                    on_reload(self, said["model"])
                else:
                    self._reloaded_in(said["round"], said["models"])
        code = await self._process.wait()
        if self._reloaded is not None and not self._reloaded.done():
            self._reloaded.set_result([])
        self._writer.close()
        return code

    async def reload(self, model: str) -> list[Any]:
        """Have the worker check its files; nothing if it dies meanwhile.

        One that is still starting checks once it is ready.
        """
        if not self.ready:
            self._missed = True
            return []
        if self._process.returncode is not None:
            return []
        self._reloaded = asyncio.get_running_loop().create_future()
        self._order_reload(model)
        return await self._reloaded

    def tell(self, models: list[Any]) -> None:
        """Answer the worker's own `reload`."""
        self._say({"command": "reloaded", "models": models})

    def terminate(self) -> None:
        """Let it finish accepted requests and end; if called twice, at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """End it now."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def _now_ready(self, thresholds: dict[str, str]) -> None:
        self.ready, self.thresholds = True, thresholds
        if self._missed:
            # It may have read its files just before they changed.
            self._missed = False
            self._order_reload("")

    def _order_reload(self, model: str) -> None:
        self._round += 1
        self._say({"command": "reload", "model": model, "round": self._round})

    def _reloaded_in(self, number: int, models: list[Any]) -> None:
        # Nobody waits for the answer to what a starting worker missed; it may come in a later round.
        if number == self._round and self._reloaded is not None and not self._reloaded.done():
            self._reloaded.set_result(models)

    async def _give(self, job: dict[str, Any]) -> None:
        stdin = self._process.stdin
        if stdin is not None:
            with contextlib.suppress(ConnectionError):
                stdin.write(json.dumps(job).encode())
                await stdin.drain()
            stdin.close()

    def _say(self, what: dict[str, Any]) -> None:
        if not self._writer.is_closing():
            self._writer.write(json.dumps(what).encode() + b"\n")


def _failure(said: dict[str, Any]) -> MaskdetError:
    """The worker's error as the class it was, so that the exit status is the same."""
    kind = getattr(errors, said["kind"], ServingError)
    made: MaskdetError = kind(said["what"], said["hint"])
    return made
