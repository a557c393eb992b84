"""How durations and moments read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from maskdet.system.times import duration, read_time, time_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12.3, "12 s"),
        (59.7, "1 min 0 s"),
        (185, "3 min 5 s"),
        (8040, "2 h 14 min"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_a_moment_is_told_in_utc_to_the_millisecond():
    when = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=8)))
    assert time_text(when) == "2026-02-28T17:30:00.000Z"
    assert read_time(time_text(when)) == when.timestamp()
    assert read_time("yesterday") == 0
