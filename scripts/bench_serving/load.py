"""A closed-loop load generator: N connections in one thread, each sends its next request once answered.

It runs in a separate process, with only the standard library, so that it costs little and the same for every
server; it reports its own CPU time.
"""

from __future__ import annotations

import contextlib
import json
import resource
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

READ_BYTES = 1 << 18
STALL_SECONDS = 30.0
"""If no connection gets anything for this long, the server hangs."""


@dataclass(frozen=True)
class Task:
    """What to send, where, and what the response must contain."""

    host: str
    port: int
    path: str
    content_type: str
    body: str
    """Path of a file with the request's body."""
    connections: int
    seconds: float
    warm_up_seconds: float
    answer_path: tuple[str | int, ...]
    """Keys that lead to the list of detections in the response's JSON."""
    detections: int
    """Expected length of that list."""


@dataclass
class Outcome:
    """The measurement: `millis` of each good response, and what else happened."""

    seconds: float = 0.0
    millis: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0


class Connection:
    """One client: non-blocking, keeps its connection if the server does."""

    def __init__(self, task: Task, request: bytes, selector: selectors.BaseSelector) -> None:
        self._task = task
        self._request = request
        self._selector = selector
        self._socket: socket.socket | None = None

    def send(self) -> None:
        """Start the next request."""
        self.started = time.perf_counter()
        self._left = memoryview(self._request)
        self._answer = bytearray()
        if self._socket is None:
            self._socket = socket.create_connection((self._task.host, self._task.port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.setblocking(False)
            self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._push()

    def advance(self, events: int) -> bytes | None:
        """Continue after the selector woke it; the whole response once complete, head and body."""
        if events & selectors.EVENT_WRITE:
            self._push()
        if not events & selectors.EVENT_READ or self._socket is None:
            return None
        data = self._socket.recv(READ_BYTES)
        self._answer += data
        return self._whole(ended=not data)

    def close(self) -> None:
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def _push(self) -> None:
        if self._socket is None:
            return
        # A full buffer is not an error: the selector says when there is room.
        with contextlib.suppress(BlockingIOError):
            self._left = self._left[self._socket.send(self._left) :]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._left else 0)
        if self._selector.get_key(self._socket).events != wanted:
            self._selector.modify(self._socket, wanted, self)

    def _whole(self, *, ended: bool) -> bytes | None:
        end = self._answer.find(b"\r\n\r\n")
        if end >= 0:
            head = bytes(self._answer[:end]).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or -1)
            if length < 0:
                raise ValueError("the answer has no Content-Length")
            if len(self._answer) >= end + 4 + length:
                if ended or b"connection: close" in head or head.startswith(b"http/1.0"):
                    self.close()
                return bytes(self._answer)
        if ended:
            self.close()
            raise ConnectionError("the connection was closed before the answer")
        return None


def run(task: Task) -> Outcome:
    """Load the server; responses during the warm-up are checked, but not counted."""
    request = request_bytes(task, Path(task.body).read_bytes())
    outcome = Outcome()
    with selectors.DefaultSelector() as selector:
        clients = [Connection(task, request, selector) for _ in range(task.connections)]
        for client in clients:
            client.send()
        drive(selector, task, outcome, task.warm_up_seconds)
        outcome.millis.clear()
        cpu = cpu_seconds()
        begin = time.perf_counter()
        drive(selector, task, outcome, task.seconds)
        outcome.seconds = time.perf_counter() - begin
        outcome.cpu_seconds = cpu_seconds() - cpu
        for client in clients:
            client.close()
    return outcome


def drive(selector: selectors.BaseSelector, task: Task, outcome: Outcome, seconds: float) -> None:
    """Keep all connections busy for some time."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        ready = selector.select(STALL_SECONDS)
        if not ready:
            raise TimeoutError(f"no answer for {STALL_SECONDS:g} s")
        for key, events in ready:
            step(key.data, events, task, outcome)


def step(client: Connection, events: int, task: Task, outcome: Outcome) -> None:
    try:
        answer = client.advance(events)
    except (OSError, ValueError) as error:
        outcome.faults.append(str(error))
        client.close()
        client.send()
        return
    if answer is None:
        return
    ended = time.perf_counter()
    fault = fault_of(answer, task)
    if fault:
        outcome.faults.append(fault)
    else:
        outcome.millis.append((ended - client.started) * 1000)
    client.send()


def request_bytes(task: Task, body: bytes) -> bytes:
    head = (
        f"POST {task.path} HTTP/1.1\r\nHost: {task.host}:{task.port}\r\nAccept: */*\r\n"
        f"Content-Type: {task.content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def fault_of(answer: bytes, task: Task) -> str:
    """What is wrong with a response; empty if nothing is."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1].decode()
    if status != "200":
        return f"status {status}: {body[:200].decode(errors='replace')}"
    found: Any = json.loads(body)
    for key in task.answer_path:
        found = found[key]
    return "" if len(found) == task.detections else f"{len(found)} detections instead of {task.detections}"


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Read a Task as JSON from standard input, print the Outcome as JSON."""
    values = json.load(sys.stdin)
    task = Task(**{**values, "answer_path": tuple(values["answer_path"])})
    json.dump(asdict(run(task)), sys.stdout)


if __name__ == "__main__":
    main()
