"""The wall-clock time of one training over all its sessions, and how much is left."""

from __future__ import annotations

import time
from collections.abc import Callable

HOUR = 3600.0


class TimeBudget:
    """Counts the seconds of a training; `hours` None is no limit.

    `spent` seconds were used in earlier sessions. An epoch is its steps and its closing, in which it is
    evaluated and written; `closing` seconds are expected for that before one is measured.
    """

    def __init__(
        self,
        hours: float | None,
        spent: float,
        clock: Callable[[], float] = time.monotonic,
        closing: float = 0.0,
    ) -> None:
        self.hours = hours
        self._before, self._clock = spent, clock
        self._began = self._epoch_began = self._closing_began = clock()
        self._epochs, self._steps, self._closing = 0, 0.0, closing

    @property
    def spent(self) -> float:
        """Seconds of all sessions so far."""
        return self._before + self._clock() - self._began

    @property
    def used_up(self) -> bool:
        """Whether the limit is reached."""
        return self.hours is not None and self.spent >= self.hours * HOUR

    def steps_done(self) -> None:
        """Call when the steps of an epoch are done."""
        self._closing_began = self._clock()
        self._steps += self._closing_began - self._epoch_began

    def epoch_done(self) -> None:
        """Call when an epoch is closed."""
        self._epochs += 1
        self._epoch_began = self._clock()
        # The longest: not every epoch is evaluated, but the last one is.
        self._closing = max(self._closing, self._epoch_began - self._closing_began)

    def exhausted(self, *, evaluated: bool) -> bool:
        """After the steps of an epoch: True if another epoch like those of this session, with its closing,
        would exceed the limit. `evaluated`: whether this one is, even if another follows.
        """
        closings = 2 if evaluated else 1
        ahead = closings * self._closing + self._steps / (self._epochs + 1)
        return self.hours is not None and self.spent + ahead > self.hours * HOUR

    def epochs_ahead(self) -> int | None:
        """How many more epochs fit; None without a limit or before an epoch is done."""
        if self.hours is None or not self._epochs:
            return None
        epoch_seconds = (self._clock() - self._began) / self._epochs
        return max(0, int((self.hours * HOUR - self.spent) / epoch_seconds))

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
