"""A maskdet server for the duration of a block: started, awaited, and always stopped."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
MASKDET = (sys.executable, "-m", "maskdet")
START_SECONDS = 60.0
STOP_SECONDS = 10.0


class ServedError(Exception):
    """The server did not start; the message says why and where to look."""


def end_on_sigterm() -> None:
    """Let SIGTERM unwind like an exit, so that this process's server is stopped too."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))


@contextmanager
def server(log: Path, *arguments: str, start_seconds: float = START_SECONDS) -> Iterator[str]:
    """The address of a running `maskdet serve`; the process is always stopped afterwards."""
    port = free_port()
    command = [*MASKDET, "serve", *arguments, "--set", f"serve.port={port}"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_ready(process, address, log, start_seconds)
            yield address
        finally:
            end(process)


def wait_until_ready(
    process: subprocess.Popen[bytes], address: str, log: Path, seconds: float = START_SECONDS
) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServedError(f"the server ended with exit code {process.returncode}:\n{_tail(log)}")
        if is_ready(address):
            return
        time.sleep(0.2)
    raise ServedError(f"the server was not ready after {seconds:.0f} s:\n{_tail(log)}")


def is_ready(address: str) -> bool:
    try:
        # A proxy from the environment must not see requests to this machine.
        return httpx.get(f"{address}/health/ready", timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-10:])
