"""One model's two sessions, and which of them runs a lone picture."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from maskdet.detector.runtime.session import Session
from maskdet.serving.engine.timing import median_seconds
from maskdet.types import FloatArray

REMEMBERED = 5
"""Number of lone passes on one core whose median a pass on several has to beat."""
ABOUT = 1.05
"""Factor up to which times are about the same."""
LONGEST_REST = 16
"""Most lone pictures before several cores are tried again."""


class Sessions:
    """`narrow` runs a pass on one core; `wide` spreads it over several, or is the same session.

    With many pictures at once, each gets one core. A lone one gets several, which is fastest on an idle
    machine. But if other programs are busy, the cores wait for each other, and a single core can be three
    times as fast. So after a wide pass slower than narrow ones, the next lone picture runs on one core; each
    further slow one in a row doubles that number. A stray delay costs little, and a busy machine is noticed
    at once.
    """

    def __init__(self, narrow: Session, wide: Session) -> None:
        self._both = (wide, narrow)
        self._narrow_seconds: deque[float] = deque(maxlen=REMEMBERED)
        self._rest = 0
        self._left = 1  # The first shows how long one core takes.

    @property
    def narrow(self) -> Session:
        return self._both[1]

    @property
    def wide(self) -> Session:
        return self._both[0]

    def __iter__(self) -> Iterator[Session]:
        """Each session once."""
        return iter(dict.fromkeys(self._both))

    def run(self, batch: NDArray[np.uint8], *, alone: bool) -> tuple[FloatArray, FloatArray]:
        """Like `Session.run`. `alone`: no other picture waits or runs."""
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


def widths(cores: int) -> Sequence[int]:
    """Numbers of threads below `cores` that may be faster for a lone picture: two that share a core gain
    little, and many wait for each other after each small layer.
    """
    return [threads for threads in (cores // 2, cores // 4) if threads > 1]


def fastest(sessions: Mapping[int, Session], run: Callable[[Session], None]) -> Session:
    """Of sessions by their threads. Where times are about the same, the one with fewer threads."""
    seconds = {
        threads: median_seconds(partial(run, session), REMEMBERED) for threads, session in sessions.items()
    }
    least = min(seconds.values())
    return sessions[min(threads for threads, taken in seconds.items() if taken <= ABOUT * least)]
