"""A thread that sends, so that a tracker that is down, slow or silent holds nobody up."""

from __future__ import annotations

import threading
from collections.abc import Callable

_PAUSE_SECONDS = 10.0
"""After a failure: a tracker that is down is not asked again at once."""
_LONGEST = 300
"""Characters of an error that are kept."""

GivenUp = Callable[[], bool]
Attempt = Callable[[GivenUp], None]
"""Sends everything that is due. Asks now and then whether it was given up."""


class Courier:
    """Attempts to send in the background, whenever there is something new; `notify` never waits or raises.

    What is due lies in the results folder, so nothing is queued in memory and nothing is lost.
    """

    def __init__(self, attempt: Attempt, pause: float = _PAUSE_SECONDS) -> None:
        self._attempt, self._pause = attempt, pause
        self._due, self._closing, self._given_up = threading.Event(), threading.Event(), threading.Event()
        self._trouble = ""
        self._thread = threading.Thread(target=self._work, daemon=True, name="tracking")
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Why the last attempt failed; empty if it succeeded."""
        return self._trouble

    def notify(self) -> None:
        """There is something new to send."""
        self._due.set()

    def close(self, patience: float) -> str:
        """One last attempt, waited for at most `patience` seconds; what kept it from succeeding, or "".

        A thread that is still waiting for an answer is left behind; it writes nothing any more.
        """
        self._closing.set()
        self._due.set()
        self._thread.join(patience)
        if self._thread.is_alive():
            self._given_up.set()
            self._trouble = self._trouble or f"no answer within {patience:g} s"
        return self._trouble

    def _work(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            last = self._closing.is_set()
            try:
                self._attempt(self._given_up.is_set)
                self._trouble = ""
            except Exception as error:  # noqa: BLE001 - a tracker may raise anything, and none of it matters here
                self._trouble = _words(error)
                if not last:
                    self._closing.wait(self._pause)
            if last or self._given_up.is_set():
                return


def _words(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
