"""The audit file of an inbox: a JSON line for each thing that happens to a picture, appended to."""

from __future__ import annotations

import json
import os
from pathlib import Path

from maskdet.inbox.record import now_text

FILE = "audit.jsonl"
MAX_BYTES = 8 * 1024**2
"""Size at which the file replaces the earlier one: the two together stay below twice that."""


class AuditLog:
    """The caller holds the folder's lock."""

    def __init__(self, folder: Path, file: str = FILE) -> None:
        self._file = folder / file
        self._earlier = self._file.with_suffix(f".1{self._file.suffix}")

    def write(self, what: str, **fields: str | int | list[str]) -> None:
        """Append a line before the thing is done, so that nothing happens without one. Raises OSError."""
        line = json.dumps({"at": now_text(), "what": what, **fields}, ensure_ascii=False) + "\n"
        if self._file.exists() and self._file.stat().st_size > MAX_BYTES:
            self._file.replace(self._earlier)
        handle = os.open(self._file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(handle).st_size
            # A full disk may have cut the last line off.
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            data = ("\n" if torn else "").encode() + line.encode()
            if os.write(handle, data) < len(data):
                raise OSError(28, os.strerror(28))
        finally:
            os.close(handle)

    def lines(self) -> list[dict[str, object]]:
        """All lines that are there, the earliest first."""
        found = []
        for path in (self._earlier, self._file):
            text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            found += [json.loads(line) for line in text.splitlines() if _whole(line)]
        return found


def _whole(line: str) -> bool:
    return line.startswith("{") and line.endswith("}")
