"""SIGTERM and SIGHUP end a command as Ctrl-C does, so that what it started is shut down cleanly."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT
"""Exit code of a command that Ctrl-C ended."""
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Signals:
    """Remembers which signal ended the command: Ctrl-C, SIGTERM and SIGHUP exit with different codes."""

    def __init__(self) -> None:
        self._received = signal.SIGINT

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number, as shells count: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self._received

    @contextmanager
    def as_interrupts(self) -> Iterator[None]:
        """Within the block a signal raises KeyboardInterrupt in the main thread."""
        # An ignored signal stays ignored, such as SIGHUP under nohup.
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        taken = [number for number, handler in before.items() if handler is signal.SIG_DFL]
        for number in taken:
            signal.signal(number, self._interrupt)
        try:
            yield
        finally:
            for number in taken:
                signal.signal(number, before[number])

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._received = signal.Signals(number)
        raise KeyboardInterrupt
