"""Durations and moments as text."""

from __future__ import annotations

from datetime import datetime, timezone


def duration(seconds: float) -> str:
    """Seconds for people: 0.4 s, 12 s, 3 min 5 s, 2 h 14 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s"


def now_text() -> str:
    """The present as `time_text`."""
    return time_text(datetime.now(timezone.utc))


def time_text(when: datetime) -> str:
    """For records: UTC, to the millisecond; texts sort as times do."""
    return when.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_time(text: str) -> float:
    """Seconds since the epoch of a `time_text`; 0 for any other text."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
