"""Waiting on the event loop for futures of other threads."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from maskdet.errors import MaskdetError
from maskdet.serving.engine.waiting import together
from maskdet.serving.refusals import Busy


def parts(count: int) -> list[Future[int]]:
    return [Future() for _ in range(count)]


def test_outcomes_are_in_order_whatever_finishes_first() -> None:
    given = parts(3)

    async def wait() -> list[int | MaskdetError]:
        whole = together(given)
        fault = Busy("full", "later")
        threading.Thread(
            target=lambda: (given[2].set_result(2), given[0].set_exception(fault), given[1].set_result(1))
        ).start()
        return await whole

    first, second, third = asyncio.run(wait())
    assert isinstance(first, Busy)
    assert (second, third) == (1, 2)


def test_another_exception_is_raised() -> None:
    given = parts(2)

    async def wait() -> None:
        whole = together(given)
        given[0].set_result(0)
        given[1].set_exception(ZeroDivisionError("one"))
        await whole

    with pytest.raises(ZeroDivisionError, match="one"):
        asyncio.run(wait())


def test_no_exception_of_a_part_leaves_it_out() -> None:
    given = parts(2)
    given[0].set_result(0)
    given[1].set_exception(StopIteration())

    async def wait() -> None:
        await together(given)

    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(wait())


def test_cancelling_it_cancels_the_parts() -> None:
    given = parts(2)

    async def wait() -> None:
        whole = together(given)
        whole.cancel()
        await asyncio.gather(whole, return_exceptions=True)

    asyncio.run(wait())
    assert all(one.cancelled() for one in given)


def test_a_result_after_the_cancellation_is_dropped() -> None:
    given = parts(1)
    given[0].set_running_or_notify_cancel()

    async def wait() -> bool:
        whole = together(given)
        whole.cancel()
        given[0].set_result(1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return whole.cancelled()

    assert asyncio.run(wait())


def test_without_parts_there_is_nothing_to_wait_for() -> None:
    async def wait() -> list[int | MaskdetError]:
        return await together(parts(0))

    assert asyncio.run(wait()) == []
