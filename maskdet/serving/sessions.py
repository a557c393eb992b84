"""One model's two sessions, and which of them answers a picture that is alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from maskdet.detector.session import OnnxSession
from maskdet.types import FloatArray

LOOK_AGAIN = 64
"""Every so many lone pictures the slower session has a turn, in case it is the faster one by now."""
FORGETTING = 0.2
"""Weight of the newest pass in a session's mean time."""


class Sessions:
    """`narrow` keeps a pass to one core; `wide` spreads it over all, or is the same session.

    Many pictures at once each get one core. A lone one gets the session that has been faster of late: all
    cores on a quiet machine; but where other programs are busy, the cores wait for each other, and one core
    by itself can be three times as fast.
    """

    def __init__(self, narrow: OnnxSession, wide: OnnxSession) -> None:
        self._both = (wide, narrow)
        self._seconds = [0.0, 0.0]
        self._lone = 0

    def __iter__(self) -> Iterator[OnnxSession]:
        return iter(self._both)

    def run(self, batch: NDArray[np.uint8], *, alone: bool) -> tuple[FloatArray, FloatArray]:
        """As `OnnxSession.run`. `alone` says that no other picture waits or runs."""
        wide, narrow = self._both
        if not alone or wide is narrow:
            return narrow.run(batch)
        chosen = self._choose()
        started = time.perf_counter()
        answer = self._both[chosen].run(batch)
        self._learn(chosen, time.perf_counter() - started)
        return answer

    def _choose(self) -> int:
        self._lone += 1
        faster = int(self._seconds[1] < self._seconds[0])
        return 1 - faster if self._lone % LOOK_AGAIN == 0 else faster

    def _learn(self, chosen: int, seconds: float) -> None:
        known = self._seconds[chosen] or seconds
        self._seconds[chosen] = known + FORGETTING * (seconds - known)
