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
from maskdet.serving.process.records import ServerRecord, read_record, remove_record

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


def status(port: int) -> ServerStatus:
    """The state of a port's server. Raises ServingError if none is running."""
    record, process = _running(port)
    ready, reason = _ask(record)
    workers, memory = _tree(process)
    return ServerStatus(record, ready, reason, workers, memory, time.time() - process.create_time())


def drains() -> bool:
    """Whether a server can be asked to end. On Windows it is killed, along with the requests in progress."""
    return SYSTEM == "posix"


def stop(port: int, timeout_seconds: float = STOP_SECONDS) -> ServerRecord:
    """Let the server of a port finish accepted requests, if it `drains`, and wait until it has ended.

    Raises ServingError if none is running, if it may not be signalled, or if it has not ended in time.
    """
    record, process = _running(port)
    try:
        process.terminate()
        process.wait(timeout_seconds)
    except psutil.NoSuchProcess:
        pass  # it ended by itself at this very moment
    except psutil.AccessDenied as error:
        raise ServingError(
            f"the server on port {port} (pid {record.pid}) belongs to another user", "stop it as that user"
        ) from error
    except psutil.TimeoutExpired as error:
        raise ServingError(
            f"the server on port {port} (pid {record.pid}) has not ended within {timeout_seconds:g} s",
            f"wait and try again, or end it with `kill -9 {record.pid}`",
        ) from error
    remove_record(record)
    return record


def _running(port: int) -> tuple[ServerRecord, psutil.Process]:
    record = read_record(port)
    if record is None:
        raise ServingError(
            f"no server of yours is running on port {port}",
            "pass the port that `maskdet serve` printed with --port",
        )
    process = record.process()
    if process is None:
        remove_record(record)
        raise ServingError(
            f"the server on port {port} (pid {record.pid}) has ended without being stopped",
            "see its log for why; start it again with `maskdet serve`",
        )
    return record, process


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
