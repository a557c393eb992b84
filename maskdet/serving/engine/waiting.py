"""How the event loop waits for what the inference threads compute."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import count
from typing import TypeVar

from maskdet.errors import MaskdetError

R = TypeVar("R")


def together(parts: Sequence[Future[R]]) -> asyncio.Future[list[R | MaskdetError]]:
    """All outcomes, in order, once the last one is there; any other exception than a MaskdetError is raised.

    Cancelling it cancels the parts. The loop wakes once for all of them, where `asyncio.gather` over
    `asyncio.wrap_future` would wake for each, and then take several turns.
    """
    loop = asyncio.get_running_loop()
    whole: asyncio.Future[list[R | MaskdetError]] = loop.create_future()
    finished = count(1)

    def part_done(_: Future[R]) -> None:
        # `next` of a count is atomic, and one thread gets the last number.
        if next(finished) == len(parts) and not loop.is_closed():
            loop.call_soon_threadsafe(_settle, whole, parts)

    def cancel_parts(_: asyncio.Future[list[R | MaskdetError]]) -> None:
        if whole.cancelled():
            for part in parts:
                part.cancel()

    whole.add_done_callback(cancel_parts)
    for part in parts:
        part.add_done_callback(part_done)
    if not parts:
        whole.set_result([])
    return whole


def _settle(whole: asyncio.Future[list[R | MaskdetError]], parts: Sequence[Future[R]]) -> None:
    if whole.cancelled():
        return
    try:
        outcomes = _outcomes(parts)
        whole.set_result(list(outcomes))
    except Exception as error:  # noqa: BLE001  (it is for whoever awaits it)
        whole.set_exception(error)


def _outcomes(parts: Sequence[Future[R]]) -> Iterator[R | MaskdetError]:
    # A generator, which makes a RuntimeError of a part's StopIteration: `map` would end there without an
    # error, and asyncio's futures do not take one.
    for part in parts:
        outcome = _outcome(part)
        yield outcome


def _outcome(part: Future[R]) -> R | MaskdetError:
    try:
        return part.result()
    except MaskdetError as error:
        return error
