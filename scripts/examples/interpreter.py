"""A shell or a Python for the length of a page: what one example sets, the next one finds."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

GIVE_UP_SECONDS: Final = 900.0
# curl alone takes an answer that says error for a good one.
SHELL: Final = r"""
set -o pipefail
curl() {
    case " $* " in *" --fail "*) ;; *) set -- --fail-with-body "$@" ;; esac
    command curl --silent --show-error --max-time 60 "$@"
}
while read -r step; do
    eval "source \"\$step\" </dev/null >\"\$step.log\" 2>&1 $REPLIES>&-"
    echo "$?" >&"$REPLIES"
done
"""
PYTHON: Final = Path(__file__).with_name("notebook.py")


class Interpreter:
    """Runs files, one after the other, until it is closed. Its processes form a group, which ends with it."""

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._replies, answers = os.pipe()
        read, self._orders = os.pipe()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, "REPLIES": str(answers)},
            stdin=read,
            pass_fds=[answers],
            start_new_session=True,
        )
        for each in (answers, read):
            os.close(each)

    @classmethod
    def shell(cls, folder: Path, environment: Mapping[str, str]) -> Interpreter:
        return cls(["bash", "--noprofile", "--norc", "-c", SHELL], folder, environment)

    @classmethod
    def python(cls, folder: Path, environment: Mapping[str, str]) -> Interpreter:
        return cls([sys.executable, str(PYTHON)], folder, environment)

    def run(self, step: Path, seconds: float = GIVE_UP_SECONDS) -> int | None:
        """The exit code of a file, whose output is then in STEP.log; None if it does not end."""
        try:
            os.write(self._orders, f"{step}\n".encode())
        except BrokenPipeError:
            return None
        ready, _, _ = select.select([self._replies], [], [], seconds)
        reply = os.read(self._replies, 16) if ready else b""
        return int(reply) if reply else None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        self._process.wait()
        for each in (self._orders, self._replies):
            os.close(each)
