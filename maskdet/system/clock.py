"""Doubt about the wall clock, before it decides that something is old enough to be removed for good."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

DAY: Final = 86400.0
GAP_DAYS: Final = 7
"""So long does nothing happen, or the clock has jumped."""

logger = logging.getLogger("maskdet.system.clock")


class ClockDoubt:
    """Puts a removal off while the clock may be ahead, as on a machine that does not know the time yet."""

    def __init__(self, place: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        """place: what is removed from, for the log."""
        self._place = place
        self._monotonic = monotonic
        self._since: float | None = None

    def waits(self, now: float, moments: Iterable[float]) -> bool:
        """Whether to remove nothing yet: `moments`, in seconds like `now`, end more than a week before it.

        It is true for a day of running. What is of the last day does not count: a wrong clock may have
        dated it.
        """
        last = max((one for one in moments if one < now - DAY), default=now)
        if now - last <= GAP_DAYS * DAY:
            self._since = None
            return False
        if self._since is None:
            self._since = self._monotonic()
            days = round((now - last) / DAY)
            fields = {"place": self._place, "days_without_anything": days, "hours_to_wait": 24}
            logger.warning("the clock may be ahead: nothing is removed yet", extra={"fields": fields})
        return self._monotonic() - self._since < DAY
