"""Threads that may be in native code when the process ends, and how it ends then."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import NoReturn


class NativeThread(threading.Thread):
    """A daemon thread that may be in native code, such as a pass of a model, for long or for ever."""

    def __init__(self, target: Callable[..., object], args: tuple[object, ...] = (), *, name: str) -> None:
        super().__init__(target=target, args=args, name=name, daemon=True)


def leave(code: int) -> NoReturn:
    """Exit with this code.

    A thread that comes back from native code while the interpreter shuts down is unwound by force, for which
    C++ aborts the process. So if there are such threads, the interpreter does not shut down.
    """
    if any(isinstance(thread, NativeThread) for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
