"""Which session answers: one core for each of many pictures, the faster one for a lone picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskdet.serving.engine.sessions import LONGEST_REST, Sessions, fastest, widths

BATCH = np.zeros((1, 8, 8, 3), np.uint8)
ANSWER = (np.zeros((1, 1, 4), np.float32), np.zeros((1, 1, 1), np.float32))


class Paced:
    """A session that takes as long as it is told, by a clock that only sessions move."""

    now = 0.0

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.runs = 0

    def run(self, batch: Any) -> Any:
        self.runs += 1
        Paced.now += self.seconds
        return ANSWER


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskdet.serving.engine.sessions.time.perf_counter", lambda: Paced.now)


def run_alone(sessions: Sessions, times: int) -> None:
    for _ in range(times):
        sessions.run(BATCH, alone=True)


def test_a_lone_picture_gets_all_cores_of_a_quiet_machine() -> None:
    narrow, wide = Paced(0.003), Paced(0.001)
    run_alone(Sessions(narrow, wide), 100)  # type: ignore[arg-type]
    assert (narrow.runs, wide.runs) == (1, 99)


def test_it_gets_one_core_of_a_busy_machine() -> None:
    narrow, wide = Paced(0.001), Paced(0.003)
    sessions: Any = Sessions(narrow, wide)  # type: ignore[arg-type]
    run_alone(sessions, 1 + sum(1 + rest for rest in (1, 2, 4, 8, 16, 16, 16)))
    assert wide.runs == 7
    assert LONGEST_REST == 16


def test_a_stray_delay_costs_one_pass_on_one_core() -> None:
    narrow, wide = Paced(0.002), Paced(0.001)
    sessions: Any = Sessions(narrow, wide)  # type: ignore[arg-type]
    run_alone(sessions, 5)
    wide.seconds = 0.05
    run_alone(sessions, 1)
    wide.seconds, narrow.runs, wide.runs = 0.001, 0, 0
    run_alone(sessions, 20)
    assert (narrow.runs, wide.runs) == (1, 19)


def test_a_delay_on_one_core_does_not_make_slow_passes_look_good() -> None:
    narrow, wide = Paced(0.002), Paced(0.003)
    sessions: Any = Sessions(narrow, wide)  # type: ignore[arg-type]
    run_alone(sessions, 40)
    narrow.seconds = 0.05
    run_alone(sessions, 1)
    narrow.seconds, narrow.runs, wide.runs = 0.002, 0, 0
    run_alone(sessions, 50)
    assert wide.runs <= 4


def test_the_choice_follows_a_machine_that_becomes_quiet() -> None:
    narrow, wide = Paced(0.002), Paced(0.02)
    sessions: Any = Sessions(narrow, wide)  # type: ignore[arg-type]
    run_alone(sessions, 200)
    wide.seconds = 0.001
    run_alone(sessions, LONGEST_REST + 1)
    narrow.runs = wide.runs = 0
    run_alone(sessions, 10)
    assert (narrow.runs, wide.runs) == (0, 10)


def test_one_of_many_pictures_keeps_to_one_core() -> None:
    narrow, wide = Paced(0), Paced(0)
    sessions: Any = Sessions(narrow, wide)  # type: ignore[arg-type]
    for _ in range(5):
        sessions.run(BATCH, alone=False)
    assert (narrow.runs, wide.runs) == (5, 0)


@pytest.mark.parametrize(
    ("cores", "fewer"), [(1, []), (2, []), (3, []), (4, [2]), (8, [4, 2]), (16, [8, 4]), (64, [32, 16])]
)
def test_a_lone_picture_may_get_fewer_cores_than_there_are(cores: int, fewer: list[int]) -> None:
    assert widths(cores) == fewer


@pytest.mark.parametrize(
    ("milliseconds", "threads"),
    [
        ({16: 25, 8: 12, 4: 15}, 8),  # the second thread of a core only waits
        ({16: 9, 8: 12, 4: 20}, 16),
        ({16: 10, 8: 10.2, 4: 16}, 8),  # about the same: the other cores are left alone
    ],
)
def test_the_fastest_number_of_threads_is_kept(milliseconds: dict[int, float], threads: int) -> None:
    sessions: Any = {each: Paced(taken / 1000) for each, taken in milliseconds.items()}
    assert fastest(sessions, lambda session: session.run(BATCH)) is sessions[threads]  # type: ignore[arg-type,func-returns-value]
    assert {session.runs for session in sessions.values()} == {6}
