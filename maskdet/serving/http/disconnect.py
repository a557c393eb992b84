"""Abandoning work whose client has left."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from maskdet.serving.refusals import ClientGone

T = TypeVar("T")


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, or cancel it and raise ClientGone if the client disconnects first.

    Only for a request whose body has been read: all that can still arrive is the disconnect.
    """
    answer = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_gone(request))
    watch.add_done_callback(lambda _: answer.cancel())
    try:
        return await answer
    except asyncio.CancelledError:
        if watch.done() and not watch.cancelled():
            raise ClientGone("the client closed the connection before the response") from None
        raise
    finally:
        watch.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
