"""Finding and stopping running servers: by pid and start, until the process has ended."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from maskdet.errors import ServingError
from maskdet.serving.process.records import ServerRecord, read_records, remove_record

SYSTEM = os.name
STOP_SECONDS = 65.0
"""How long `stop` waits. By default a server ends within twice `drain_seconds`, and a moment."""
HEALTH_SECONDS = 5.0
"""How long `status` waits for a server's response."""


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A running server. reason: why it is not ready; memory_bytes: resident, of all its processes;
    up_seconds: since it was started.
    """

    record: ServerRecord
    ready: bool
    reason: str
    workers: int
    memory_bytes: int
    up_seconds: float


def status(port: int) -> list[ServerStatus]:
    """The state of each server of a port. Raises ServingError if none is running."""
    return [_status(record, process) for record, process in _running(port)]


def _status(record: ServerRecord, process: psutil.Process) -> ServerStatus:
    ready, reason = _ask(record)
    workers, memory = _tree(process)
    return ServerStatus(record, ready, reason, workers, memory, time.time() - process.create_time())


def drains() -> bool:
    """Whether a server can be asked to end. On Windows it is killed, along with the requests in progress."""
    return SYSTEM == "posix"


def stop(port: int, timeout_seconds: float = STOP_SECONDS) -> list[ServerRecord]:
    """Let all servers of a port finish accepted requests, if it `drains`, and wait until they have ended.

    Raises ServingError if none is running, or for one that may not be signalled or has not ended in time.
    """
    servers = _running(port)
    deadline = time.monotonic() + timeout_seconds
    for record, process in servers:
        _ask_to_end(record, process)
    for record, process in servers:
        _await_end(record, process, deadline, timeout_seconds)
        remove_record(record)
    return [record for record, _ in servers]


def _ask_to_end(record: ServerRecord, process: psutil.Process) -> None:
    try:
        process.terminate()
    except psutil.NoSuchProcess:
        pass  # it ended by itself at this very moment
    except psutil.AccessDenied as error:
        raise ServingError(f"{_named(record)} belongs to another user", "stop it as that user") from error


def _await_end(
    record: ServerRecord, process: psutil.Process, deadline: float, timeout_seconds: float
) -> None:
    try:
        process.wait(max(0, deadline - time.monotonic()))
    except psutil.NoSuchProcess:
        pass
    except psutil.TimeoutExpired as error:
        raise ServingError(
            f"{_named(record)} has not ended within {timeout_seconds:g} s",
            f"wait and try again, or end it with `kill -9 {record.pid}`",
        ) from error


def _named(record: ServerRecord) -> str:
    return f"the server on port {record.port} (pid {record.pid})"


def _running(port: int) -> list[tuple[ServerRecord, psutil.Process]]:
    """Those of a port; records of others are removed. Raises ServingError if there is none."""
    records = read_records(port)
    if not records:
        raise ServingError(
            f"no server of yours is running on port {port}",
            "pass the port that `maskdet serve` printed with --port",
        )
    found = [(record, record.process()) for record in records]
    for record, process in found:
        if process is None:
            remove_record(record)
    running = [(record, process) for record, process in found if process is not None]
    if not running:
        raise ServingError(
            f"{_named(records[0])} has ended without being stopped",
            "see its log for why; start it again with `maskdet serve`",
        )
    return running


def _tree(process: psutil.Process) -> tuple[int, int]:
    """How many processes answer, and the resident memory of all."""
    workers = process.children()
    sizes = []
    for one in (process, *workers):
        # A worker may end, and be replaced, at any moment.
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            sizes.append(one.memory_info().rss)
    return max(1, len(workers)), sum(sizes)


def _ask(record: ServerRecord) -> tuple[bool, str]:
    address = urlsplit(record.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=HEALTH_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        if answer.status == http.client.OK:
            return True, ""
        return False, str(json.loads(answer.read())["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return False, "its response is not maskdet's"
    except (OSError, http.client.HTTPException) as error:
        return False, f"it does not answer: {error}"
    finally:
        connection.close()
