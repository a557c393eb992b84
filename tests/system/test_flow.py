from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from maskdet.system.flow import run_in_order


def test_results_come_in_the_order_of_the_tasks() -> None:
    gate = threading.Event()

    def first() -> int:
        assert gate.wait(30)
        return 0

    def second() -> int:
        gate.set()
        return 1

    assert list(run_in_order([first, second], 2)) == [0, 1]


@pytest.mark.parametrize("count", [0, 1, 3, 100])
def test_every_task_is_run_once(count: int) -> None:
    assert list(run_in_order([partial(int, n) for n in range(count)], 3)) == list(range(count))


def test_only_a_few_tasks_are_taken_ahead() -> None:
    taken = 0

    def tasks() -> Iterator[Callable[[], int]]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield partial(int, number)

    results = run_in_order(tasks(), 2)
    assert next(results) == 0
    assert taken == 4
    results.close()


def test_an_error_ends_the_work() -> None:
    ran: list[int] = []

    def task(number: int) -> None:
        ran.append(number)
        if number == 2:
            raise KeyError(number)

    with pytest.raises(KeyError):
        list(run_in_order((partial(task, n) for n in range(1000)), 2))
    assert max(ran) < 10
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("flow")]
