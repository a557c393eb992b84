"""What the connection knows about a request's client: whether all of it has come, and whether it left."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple, TypeVar

from starlette.types import Scope

from maskdet.serving.refusals import ClientGone

T = TypeVar("T")

_KEY = "peer"


class Fault(NamedTuple):
    """Why a connection ends with a response that is not from a route."""

    status: int
    code: str
    message: str


class Peer:
    """The client of one request. Set by its connection, read by whoever answers it, on one event loop."""

    __slots__ = ("_waiting", "fault", "gone", "sent_all")

    def __init__(self) -> None:
        self.sent_all = False
        """Whether the whole body has arrived."""
        self.gone = False
        """Whether it closed the connection before it had the answer."""
        self.fault: Fault | None = None
        """Why its connection has answered in place of the route."""
        self._waiting: asyncio.Future[Any] | None = None

    def leave(self) -> None:
        """Called once it is gone."""
        self.gone = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def unless_gone(self, answer: asyncio.Future[T]) -> T:
        """The answer, or cancel it and raise ClientGone once the client is gone."""
        self._waiting = answer
        if self.gone:
            answer.cancel()
        try:
            return await answer
        except asyncio.CancelledError:
            if self.gone:
                raise ClientGone("the client closed the connection before the response") from None
            raise
        finally:
            self._waiting = None


def peer_of(scope: Scope) -> Peer:
    """The request's client. Without our connection, as in a test without a socket, it never leaves."""
    state = scope["state"]
    if _KEY not in state:
        state[_KEY] = Peer()
    peer: Peer = state[_KEY]
    return peer
