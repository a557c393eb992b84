"""A thread for what may take long, or hang: nobody waits for it when the process ends."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

from maskdet.system.native_thread import NativeThread

P = ParamSpec("P")
T = TypeVar("T")
Tasks = SimpleQueue[Callable[[], None] | None]


class DaemonThread:
    """Does one thing after the other, and ends once nobody refers to it any more.

    Like a ThreadPoolExecutor of one, or asyncio's own threads; but for those the interpreter waits at its
    end, however long.
    """

    def __init__(self, name: str) -> None:
        tasks: Tasks = SimpleQueue()
        self._tasks = tasks
        weakref.finalize(self, tasks.put, None)
        NativeThread(_work, (tasks,), name=name).start()

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call it after what was submitted before."""
        future: Future[T] = Future()
        self._tasks.put(partial(_settle, future, partial(function, *args, **kwargs)))
        return future


async def in_daemon(name: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call it in a thread of its own, which goes on if the caller is cancelled."""
    return await asyncio.wrap_future(DaemonThread(name).submit(function, *args, **kwargs))


def _work(tasks: Tasks) -> None:
    while (task := tasks.get()) is not None:
        task()
        # Not to hold what it refers to until the next one comes.
        del task


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(work())
        # Whoever waits for it gets whatever it raises.
        except BaseException as error:  # noqa: BLE001
            future.set_exception(error)
