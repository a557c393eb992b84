"""Reading a request body: bytes counted as they arrive, within a time limit and a memory limit for all."""

from __future__ import annotations

from contextlib import nullcontext

import anyio
from starlette.requests import Request

from maskdet.serving.http.peer import peer_of
from maskdet.serving.refusals import BodyTooLarge, Busy, ClientGone, SlowBody
from maskdet.serving.settings import ServeSettings


class BodyReader:
    """Reads the bodies of all requests and tracks how many of their bytes are in memory."""

    def __init__(self, settings: ServeSettings) -> None:
        self._max_bytes = settings.max_upload_bytes
        self.max_held_bytes = settings.max_held_bytes
        self._seconds = settings.body_seconds
        self.held_bytes = 0

    def body(self, request: Request) -> HeldBody:
        """`async with` gives the whole body, counted as held until the block ends.

        Raises BodyTooLarge, SlowBody, Busy (too many bytes held) or ClientGone.
        """
        return HeldBody(self, request)

    async def read(self, request: Request, held: HeldBody) -> bytes:
        """The whole body, counted in `held` as it arrives. Raises like `body`."""
        self._check_declared(request.headers.get("content-length", ""))
        # What has come already needs no clock, which costs more than reading it.
        clock = nullcontext() if peer_of(request.scope).sent_all else anyio.fail_after(self._seconds)
        try:
            with clock:
                return await self._whole(request, held)
        except TimeoutError as error:
            raise SlowBody(
                f"the body did not arrive within {self._seconds:g} s",
                "send it faster, or send a smaller picture",
            ) from error

    async def _whole(self, request: Request, held: HeldBody) -> bytes:
        chunks, more = [], True
        while more:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone("the client closed the connection while sending")
            chunk, more = message.get("body", b""), message.get("more_body", False)
            held.add(len(chunk))
            self._check_size(held.count)
            chunks.append(chunk)
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


class HeldBody:
    """Bytes of one body, also counted in the reader's total."""

    __slots__ = ("_reader", "_request", "count")

    def __init__(self, reader: BodyReader, request: Request) -> None:
        self._reader = reader
        self._request = request
        self.count = 0

    async def __aenter__(self) -> bytes:
        try:
            return await self._reader.read(self._request, self)
        except BaseException:
            self._release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._release()

    def add(self, size: int) -> None:
        """Count bytes that have arrived. Raises Busy if the reader holds too many."""
        if self._reader.held_bytes + size > self._reader.max_held_bytes:
            raise Busy("too many request bodies are in memory", "send the request again later")
        self._reader.held_bytes += size
        self.count += size

    def _release(self) -> None:
        self._reader.held_bytes -= self.count
        self.count = 0
