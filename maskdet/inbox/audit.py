"""The audit file of an inbox: a JSON line for each thing that happens to a picture, appended to."""

from __future__ import annotations

import errno
import json
import os
from io import FileIO
from pathlib import Path

from maskdet.system.files import json_lines
from maskdet.system.times import now_text

FILE = "audit.jsonl"
MAX_BYTES = 8 * 1024**2
"""Size at which the file replaces the earlier one: the two together stay below twice that."""


class AuditLog:
    """The caller holds the folder's lock. `keeps_all`: nothing is dropped, whatever the size."""

    def __init__(self, folder: Path, file: str = FILE, *, keeps_all: bool = False) -> None:
        self._keeps_all = keeps_all
        self._file = folder / file
        self._earlier = self._file.with_suffix(f".1{self._file.suffix}")

    def write(self, what: str, **fields: str | int | list[str]) -> None:
        """Append a line before the thing is done, so that nothing happens without one. Raises OSError."""
        line = json.dumps({"at": now_text(), "what": what, **fields}, ensure_ascii=False) + "\n"
        if not self._keeps_all and self._file.exists() and self._file.stat().st_size > MAX_BYTES:
            self._file.replace(self._earlier)
        # Unbuffered: the line is one write, and nothing is left to be written after an error.
        with self._file.open("ab+", buffering=0) as stream:
            data = (b"\n" if _is_torn(stream) else b"") + line.encode()
            if stream.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def lines(self) -> list[dict[str, object]]:
        """All lines that are there, the earliest first."""
        found = []
        for path in (self._earlier, self._file):
            text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            found += [json.loads(line) for line in json_lines(text) if _whole(line)]
        return found


def _is_torn(stream: FileIO) -> bool:
    """Whether a full disk has cut the last line off."""
    if not stream.seek(0, os.SEEK_END):
        return False
    stream.seek(-1, os.SEEK_END)
    return stream.read(1) != b"\n"


def _whole(line: str) -> bool:
    return line.startswith("{") and line.endswith("}")
