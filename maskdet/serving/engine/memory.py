"""Native memory in a process that runs for days: the C library returns it to the system only if told to."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Any

_M_MMAP_THRESHOLD = -3
_OWN_MAPPING_BYTES = 1 << 20


def return_large_blocks() -> None:
    """Large blocks, such as pictures, go back to the system once they are freed. Called before threads start.

    By itself glibc raises its limit with each large block that is freed, up to 32 MiB: blocks below it then
    stay in the arena of the thread that had them.
    """
    if (set_option := _of_c_library("mallopt")) is not None:
        set_option(_M_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)


def give_memory_back() -> None:
    """Free the memory of old models.

    Finished results are in reference cycles with their futures: the collector sees a few small objects and
    waits, but each keeps a model's native memory alive. And glibc does not return freed memory by itself.
    """
    gc.collect()
    if (trim := _of_c_library("malloc_trim")) is not None:
        trim(0)


def _of_c_library(name: str) -> Callable[..., Any] | None:
    """None outside Linux and where the C library, such as musl, has no such function."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
