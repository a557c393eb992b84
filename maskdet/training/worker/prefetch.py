"""Preparing the next items in a thread while the current one is in use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from queue import Full, Queue
from typing import TypeVar

T = TypeVar("T")
_DEPTH = 2
_PATIENCE = 0.2


def prefetched(items: Iterable[T]) -> Iterator[T]:
    """The same items in the same order, made by one thread that is up to two ahead.

    One thread, so that its draws from global random generators are in the same order every time. An exception
    in `items` is raised here. The thread ends with this generator, or soon after.
    """
    ready: Queue[tuple[T | None, BaseException | None]] = Queue(_DEPTH)
    stopped = threading.Event()
    thread = threading.Thread(target=_fill, args=(ready, items, stopped), daemon=True, name="prefetch")
    thread.start()
    try:
        while (got := ready.get())[0] is not None:
            yield got[0]
    finally:
        stopped.set()
        thread.join()
    if got[1] is not None:
        raise got[1]


def _fill(
    ready: Queue[tuple[T | None, BaseException | None]], items: Iterable[T], stopped: threading.Event
) -> None:
    failure: BaseException | None = None
    try:
        for item in items:
            if not _put(ready, (item, None), stopped):
                return
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for the items
        failure = error
    _put(ready, (None, failure), stopped)


def _put(
    ready: Queue[tuple[T | None, BaseException | None]],
    entry: tuple[T | None, BaseException | None],
    stopped: threading.Event,
) -> bool:
    while not stopped.is_set():
        try:
            ready.put(entry, timeout=_PATIENCE)
        except Full:
            continue
        return True
    return False
