"""How many pictures may be captured: a minute, an hour and a day, by all workers, across restarts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from maskdet.system.files import write_json

FILE = "captures.json"
DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Caps:
    """Pictures in any span of that length."""

    per_minute: int
    per_hour: int
    per_day: int

    def wait(self, times: list[float], now: float) -> float:
        """Seconds until one more is allowed, after captures at `times`; 0 if it is now."""
        spans = ((60.0, self.per_minute), (3600.0, self.per_hour), (DAY, self.per_day))
        waits = [
            recent[-most] + span - now
            for span, most in spans
            if len(recent := [one for one in times if one > now - span]) >= most
        ]
        return max(waits, default=0.0)


class Ledger:
    """The times of the last day's captures, in a file. The caller holds the inbox's lock."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def times(self, now: float) -> list[float]:
        """Seconds since the epoch, in order; those of a clock that has since been set back are left out."""
        try:
            times = [float(one) for one in json.loads(self._file.read_text(encoding="utf-8"))["times"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return sorted(one for one in times if now - DAY < one <= now)

    def add(self, now: float) -> None:
        """Raises OSError."""
        write_json(self._file, {"times": [*self.times(now), now]})
