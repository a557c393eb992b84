"""Runs the Python files that standard input names in one namespace.

Writes 0 or 1 to the file descriptor $REPLIES after each; what it prints goes to FILE.log.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Any


def main() -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    replies = int(os.environ["REPLIES"])
    orders = os.fdopen(os.dup(sys.stdin.fileno()))
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    sys.path[0] = ""
    for line in orders:
        step = Path(line.rstrip("\n"))
        with Path(f"{step}.log").open("wb") as log:
            os.dup2(log.fileno(), sys.stdout.fileno())
            os.dup2(log.fileno(), sys.stderr.fileno())
        failed = run(step, names)
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(replies, b"%d\n" % failed)


def run(step: Path, names: dict[str, Any]) -> bool:
    """Whether the file failed."""
    try:
        exec(compile(step.read_text(encoding="utf-8"), step, "exec"), names)  # noqa: S102 - our own pages
    except Exception:  # noqa: BLE001 - whatever it is, it is reported
        traceback.print_exc()
        return True
    return False


if __name__ == "__main__":
    main()
