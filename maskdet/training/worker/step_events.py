"""Step events: at once, then every few seconds, and at the end of the epoch. Worker side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import psutil

T = TypeVar("T")
Report = Callable[..., None]
_REPORT_SECONDS = 2.0


class StepEvents:
    """The speed of one epoch's steps, and the time that the rest of the training will take."""

    def __init__(self, report: Report, epoch: int, epochs: int, steps: int, batch_size: int) -> None:
        self._report, self._epoch, self._epochs, self._steps = report, epoch, epochs, steps
        self._batch = batch_size
        self._begun = self._told = time.monotonic()
        self._waited = 0.0

    def watched(self, batches: Iterable[T]) -> Iterator[T]:
        """Pass batches on, and measure the time that steps wait for them."""
        waiting = iter(batches)
        while True:
            asked = time.monotonic()
            batch = next(waiting, None)
            self._waited += time.monotonic() - asked
            if batch is None:
                return
            yield batch

    def step(self, step: int, losses: dict[str, float], rate: float) -> None:
        """Report a finished step (0-based): its losses, with their sum as "loss", and its rate."""
        now, done = time.monotonic(), step + 1
        if now - self._told < _REPORT_SECONDS and 0 < step < self._steps - 1:
            return
        self._told = now
        seconds = (now - self._begun) / done
        left = (self._epochs - self._epoch) * self._steps - done
        self._report(
            "step",
            epoch=self._epoch + 1,
            step=done,
            loss=round(losses.pop("loss"), 5),
            losses={name: round(value, 5) for name, value in losses.items()},
            lr=round(rate, 8),
            images_per_s=round(self._batch / seconds, 2),
            eta_s=round(left * seconds),
            wait_share=round(self._waited / (now - self._begun), 4),
            memory_mb=round(psutil.Process().memory_info().rss / 2**20),
        )
