"""Reading a request body: bytes counted as they arrive, within a time limit and a memory limit for all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from starlette.requests import ClientDisconnect, Request

from maskdet.serving.refusals import BodyTooLarge, Busy, ClientGone, SlowBody
from maskdet.serving.settings import ServeSettings


class BodyReader:
    """Reads the bodies of all requests and tracks how many of their bytes are in memory."""

    def __init__(self, settings: ServeSettings) -> None:
        self._max_bytes = settings.max_upload_bytes
        self.max_held_bytes = settings.max_held_bytes
        self._seconds = settings.body_seconds
        self.held_bytes = 0

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """The whole body, counted as held until the block ends.

        Raises BodyTooLarge, SlowBody, Busy (too many bytes held) or ClientGone.
        """
        self._check_declared(request.headers.get("content-length", ""))
        held = _Held(self)
        try:
            yield await self._read(request, held)
        finally:
            self.held_bytes -= held.count

    async def _read(self, request: Request, held: _Held) -> bytes:
        chunks = []
        try:
            with anyio.fail_after(self._seconds):
                async for chunk in request.stream():
                    held.add(len(chunk))
                    self._check_size(held.count)
                    chunks.append(chunk)
        except TimeoutError as error:
            raise SlowBody(
                f"the body did not arrive within {self._seconds:g} s",
                "send it faster, or send a smaller picture",
            ) from error
        except ClientDisconnect as error:
            raise ClientGone("the client closed the connection while sending") from error
        return b"".join(chunks)

    def _check_declared(self, length: str) -> None:
        # A declared length is only used to refuse early: the bytes that arrive are counted anyway.
        if length.isdecimal() and len(length) < 20:
            self._check_size(int(length))

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise BodyTooLarge(
                f"the body is larger than {self._max_bytes} bytes", "send a smaller picture, or fewer at once"
            )


class _Held:
    """Bytes of one body, also counted in the reader's total."""

    def __init__(self, reader: BodyReader) -> None:
        self._reader = reader
        self.count = 0

    def add(self, size: int) -> None:
        if self._reader.held_bytes + size > self._reader.max_held_bytes:
            raise Busy("too many request bodies are in memory", "send the request again later")
        self._reader.held_bytes += size
        self.count += size
