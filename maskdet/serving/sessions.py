"""One model's two sessions, and which of them answers a picture that is alone."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from maskdet.detector.session import OnnxSession
from maskdet.types import FloatArray

REMEMBERED = 3
"""Lone passes of each session that the choice looks at."""
LOOK_AGAIN = 16
"""Every so many lone pictures the slower session has a turn, in case it is the faster one by now."""


class Sessions:
    """`narrow` keeps a pass to one core; `wide` spreads it over all, or is the same session.

    Many pictures at once each get one core. A lone one gets the session with the smaller median time of
    late: all cores on a quiet machine; but where other programs are busy, the cores wait for each other, and
    one core by itself can be three times as fast. At first both have turns: one slow pass says little.
    """

    def __init__(self, narrow: OnnxSession, wide: OnnxSession) -> None:
        self._both = (wide, narrow)
        self._seconds: tuple[deque[float], deque[float]] = (
            deque(maxlen=REMEMBERED),
            deque(maxlen=REMEMBERED),
        )
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
        self._seconds[chosen].append(time.perf_counter() - started)
        return answer

    def _choose(self) -> int:
        self._lone += 1
        if self._lone <= 2 * REMEMBERED:
            return self._lone % 2
        wide, narrow = map(statistics.median, self._seconds)
        faster = int(narrow < wide)
        return 1 - faster if self._lone % LOOK_AGAIN == 0 else faster
