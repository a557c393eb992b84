"""Which signals ask a server to stop."""

from __future__ import annotations

import signal


def stop_signals() -> list[signal.Signals]:
    """SIGTERM, Ctrl-C and the end of the terminal (SIGHUP); but not what is ignored, such as Ctrl-C in a
    shell's background commands and SIGHUP under nohup.
    """
    others = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]
    return [signal.SIGTERM, *(one for one in others if signal.getsignal(one) is not signal.SIG_IGN)]


def insists(number: int) -> bool:
    """Whether a further signal means "at once". When a terminal closes, its shell and the system both send
    SIGHUP.
    """
    return number != getattr(signal, "SIGHUP", None)
