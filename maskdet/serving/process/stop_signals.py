"""Which signals ask a server to stop."""

from __future__ import annotations

import signal


def stop_signals() -> list[signal.Signals]:
    """SIGTERM and Ctrl-C; but not Ctrl-C where it is ignored, as for a shell's background commands."""
    asking = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        asking.append(signal.SIGINT)
    return asking
