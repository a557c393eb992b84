"""Which session answers: one core for each of many pictures, the faster one for a lone picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskdet.serving.sessions import LOOK_AGAIN, REMEMBERED, Sessions

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
    monkeypatch.setattr("maskdet.serving.sessions.time.perf_counter", lambda: Paced.now)


@pytest.mark.parametrize(("narrow_ms", "wide_ms"), [(1, 3), (3, 1)], ids=["busy machine", "quiet machine"])
def test_a_lone_picture_gets_the_faster_session(narrow_ms: float, wide_ms: float) -> None:
    narrow, wide = Paced(narrow_ms / 1000), Paced(wide_ms / 1000)
    sessions: Any = Sessions(narrow, wide)  # type: ignore[arg-type]
    for _ in range(LOOK_AGAIN):
        sessions.run(BATCH, alone=True)
    faster, slower = (narrow, wide) if narrow_ms < wide_ms else (wide, narrow)
    assert faster.runs == LOOK_AGAIN - REMEMBERED - 1
    # In turns at first, and once to look again.
    assert slower.runs == REMEMBERED + 1


def test_one_slow_pass_does_not_change_the_choice() -> None:
    narrow, wide = Paced(0.002), Paced(0.001)
    sessions: Any = Sessions(narrow, wide)  # type: ignore[arg-type]
    wide.seconds = 0.05
    sessions.run(BATCH, alone=True)
    sessions.run(BATCH, alone=True)
    wide.seconds = 0.001
    for _ in range(2 * REMEMBERED - 2):
        sessions.run(BATCH, alone=True)
    wide.runs = 0
    sessions.run(BATCH, alone=True)
    assert wide.runs == 1


def test_the_choice_follows_a_machine_that_becomes_busy() -> None:
    narrow, wide = Paced(0.002), Paced(0.001)
    sessions: Any = Sessions(narrow, wide)  # type: ignore[arg-type]
    for _ in range(2 * REMEMBERED):
        sessions.run(BATCH, alone=True)
    wide.seconds = 0.02
    wide.runs = 0
    for _ in range(LOOK_AGAIN - 2 * REMEMBERED - 1):
        sessions.run(BATCH, alone=True)
    # Until most of what is remembered of it is slow.
    assert wide.runs == REMEMBERED // 2 + 1


def test_one_of_many_pictures_keeps_to_one_core() -> None:
    narrow, wide = Paced(0), Paced(0)
    sessions: Any = Sessions(narrow, wide)  # type: ignore[arg-type]
    for _ in range(5):
        sessions.run(BATCH, alone=False)
    assert (narrow.runs, wide.runs) == (5, 0)
