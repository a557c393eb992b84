"""One model's two sessions, and which of them answers a picture that is alone."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from maskdet.detector.runtime.session import Session
from maskdet.types import FloatArray

REMEMBERED = 5
"""Lone passes on one core whose median a pass on all cores has to beat."""
LONGEST_REST = 16
"""Lone pictures that go by, at most, before all cores are tried again."""


class Sessions:
    """`narrow` keeps a pass to one core; `wide` spreads it over all, or is the same session.

    Many pictures at once each get one core. A lone one gets all of them: quickest on a quiet machine. But
    where other programs are busy, the cores wait for each other, and one core by itself can be three times
    as fast. So a wide pass that took longer than narrow ones do is followed by a rest of one lone picture
    on one core; each further one in a row doubles the rest. A stray delay costs little, and a busy machine
    is noticed at once.
    """

    def __init__(self, narrow: Session, wide: Session) -> None:
        self._both = (wide, narrow)
        self._narrow_seconds: deque[float] = deque(maxlen=REMEMBERED)
        self._rest = 0
        self._left = 1  # The first tells how long one core takes.

    def __iter__(self) -> Iterator[Session]:
        return iter(self._both)

    def run(self, batch: NDArray[np.uint8], *, alone: bool) -> tuple[FloatArray, FloatArray]:
        """As `Session.run`. `alone` says that no other picture waits or runs."""
        wide, narrow = self._both
        if not alone or wide is narrow:
            return narrow.run(batch)
        resting = self._left > 0
        started = time.perf_counter()
        answer = (narrow if resting else wide).run(batch)
        self._note(resting, time.perf_counter() - started)
        return answer

    def _note(self, rested: bool, seconds: float) -> None:
        if rested:
            self._narrow_seconds.append(seconds)
            self._left -= 1
            return
        slower = seconds > statistics.median(self._narrow_seconds)
        self._rest = min(LONGEST_REST, max(1, 2 * self._rest)) if slower else 0
        self._left = self._rest
