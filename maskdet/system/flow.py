"""Work on all cores, results in order, and never more than a few pieces in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def run_in_order(tasks: Iterable[Callable[[], T]], threads: int) -> Generator[T, None, None]:
    """Run tasks on a pool and yield their results in the order of the tasks.

    At most two tasks per thread are taken ahead. An error in a task, or closing the iterator, ends the work;
    tasks that have not started are dropped.
    """
    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="flow")
    try:
        for task in tasks:
            waiting.append(pool.submit(task))
            if len(waiting) >= 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
