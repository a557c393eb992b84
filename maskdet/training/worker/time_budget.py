"""The wall-clock time of one training over all its sessions, and how much is left."""

from __future__ import annotations

import time
from collections.abc import Callable

HOUR = 3600.0


class TimeBudget:
    """Counts the seconds of a training; `hours` None is no limit.

    `spent` seconds were used in earlier sessions. An epoch counts with its evaluation.
    """

    def __init__(
        self, hours: float | None, spent: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.hours = hours
        self._before, self._clock = spent, clock
        self._began = clock()
        self._epochs = 0

    @property
    def spent(self) -> float:
        """Seconds of all sessions so far."""
        return self._before + self._clock() - self._began

    def epoch_done(self) -> None:
        """Call at the end of each epoch."""
        self._epochs += 1

    @property
    def exhausted(self) -> bool:
        """True if another epoch as long as those of this session would exceed the limit."""
        return self.hours is not None and self.spent + self._epoch_seconds > self.hours * HOUR

    def epochs_ahead(self) -> int | None:
        """How many more epochs fit; None without a limit or before an epoch is done."""
        if self.hours is None or not self._epochs:
            return None
        return max(0, int((self.hours * HOUR - self.spent) / self._epoch_seconds))

    def remark(self, epoch: int, epochs: int, *, ended: bool) -> str | None:
        """The advice after `epoch`: that the limit `ended` the training, or, once, that it will."""
        if ended:
            return self._advice(f"ended the training after epoch {epoch} of {epochs}", epoch)
        ahead = self.epochs_ahead()
        if self._epochs != 1 or ahead is None or epoch + ahead >= epochs:
            return None
        return self._advice(f"is enough for about {epoch + ahead} of {epochs} epochs", epoch + ahead)

    def _advice(self, what: str, epochs: int) -> str:
        return (
            f"train.max_hours {self.hours:g} {what}; with train.epochs: {epochs} "
            "the learning rate falls to zero in time"
        )

    @property
    def _epoch_seconds(self) -> float:
        return (self._clock() - self._began) / max(1, self._epochs)
