"""Where bodies are parsed and responses built: small ones at once, the others in one thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from maskdet.serving.http.json_reading import marks

T = TypeVar("T")

AT_ONCE_BYTES = 1 << 18
"""A body of up to this many bytes is not worth another thread."""
AT_ONCE_MARKS = 128
"""The same for the commas, colons and brackets of JSON."""


class Unpacker:
    """Keeps work that takes noticeable time off the event loop.

    It has one thread: such work holds the interpreter lock for a step at a time, and each further thread
    would make the event loop wait for another step.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="unpacking")

    async def run(self, work: Callable[[], T], *, heavy: bool) -> T:
        """What `work` returns or raises."""
        if not heavy:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def is_heavy(count: int) -> bool:
    """Whether this many bytes are too many to process at once."""
    return count > AT_ONCE_BYTES


def is_heavy_json(text: bytes) -> bool:
    """Like `is_heavy`, for JSON, where many small values take as long as many bytes."""
    return is_heavy(len(text)) or len(marks(text, AT_ONCE_MARKS)) > AT_ONCE_MARKS
