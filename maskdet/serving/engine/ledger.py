"""What is written down of each answered request, a moment later and many at a time.

Counting a picture and writing its line in the log takes as long as everything else that the event loop does
for it, and several times as long alone as one after another, when code and data are still in the processor's
caches. So it is done by a thread of its own, for all requests of a tenth of a second.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

GATHER_SECONDS: Final = 0.1
"""How long an entry waits for others: the age of the counts and the log, and what a killed process loses."""
MOST_ENTRIES: Final = 2048
"""More than this are not kept: whoever enters the next one writes all of them."""

logger = logging.getLogger("maskdet.server")


class Ledger:
    """Safe to use from any thread. Without `start`, entries wait for `settle` or `close`."""

    def __init__(self) -> None:
        self._entries: deque[Callable[[], None]] = deque()
        self._settling = threading.Lock()
        self._entered = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._keep_settling, name="ledger", daemon=True)
        self._thread.start()

    def enter(self, entry: Callable[[], None]) -> None:
        """Do this soon, in the order of calls."""
        self._entries.append(entry)
        if len(self._entries) > MOST_ENTRIES:
            self.settle()
        elif not self._entered.is_set():
            self._entered.set()

    def settle(self) -> None:
        """Do now what has been entered until now, so that counts are exact."""
        with self._settling:
            for _ in range(len(self._entries)):
                _do(self._entries.popleft())

    def close(self) -> None:
        """Do what is left."""
        self._closing.set()
        self._entered.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.settle()

    def _keep_settling(self) -> None:
        while not self._closing.is_set():
            self._entered.wait()
            self._closing.wait(GATHER_SECONDS)
            self._entered.clear()
            self.settle()


def _do(entry: Callable[[], None]) -> None:
    try:
        entry()
    # One entry must not cost the others.
    except Exception:
        logger.exception("entry failed")
