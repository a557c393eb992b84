"""Which signals ask a server to stop."""

from __future__ import annotations

import signal


def stop_signals() -> list[signal.Signals]:
    """SIGTERM and Ctrl-C; but a shell that starts a command in the background has Ctrl-C ignored for it."""
    asking = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        asking.append(signal.SIGINT)
    return asking
