"""The statements of a shell script."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator


def statements(script: str) -> Iterator[tuple[int, str]]:
    """Each with the number of lines before it; blank lines and comments of their own are left out."""
    pending: list[str] = []
    for number, line in enumerate(script.splitlines(keepends=True)):
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        pending.append(line)
        if is_whole("".join(pending)):
            yield number - len(pending) + 1, "".join(pending)
            pending = []
    if pending:
        raise ValueError(f"this does not end: {pending[0].strip()}")


def is_whole(code: str) -> bool:
    """Whether bash waits for no further line."""
    if code.rstrip("\n").endswith("\\"):
        return False
    read = subprocess.run(["bash", "-n"], input=code, text=True, capture_output=True, check=False)
    # A here-document without its end is only warned of.
    return read.returncode == 0 and not read.stderr
