"""Overload a server, then soak it: are requests answered in time or refused at once, and does memory grow?

A bounded number of clients sends several times as many requests as the server can handle, as fast as
responses come; then a load that it can handle runs for minutes, with the server's memory read every second.
"""

from __future__ import annotations

import argparse
import heapq
import selectors
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import psutil

from bench_serving.load import Connection, Task, request_bytes
from served import ROOT, ServedError, end_on_sigterm, server

TIMEOUT_SECONDS = 30.0
"""A request that takes longer hangs."""
REFUSAL_MS = 50.0
MAX_GROWTH = 0.10
ASK: dict[str, Any] = {
    "host": "127.0.0.1",
    "path": "/v1/detect",
    "content_type": "image/jpeg",
    "seconds": 0,
    "warm_up_seconds": 0,
    "answer_path": (),
    "detections": 0,
}


@dataclass
class Tally:
    """Outcomes of requests: milliseconds by kind, and what went wrong."""

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, status: int, millis: float, text: bytes) -> None:
        if status == 200:
            self.accepted.append(millis)
        elif status == 503:
            self.refused.append(millis)
        else:
            self.faults.append(f"status {status}: {text[:200]!r}")


class Pace:
    """Clients on separate connections in one thread; each sends its next request when due, not before."""

    def __init__(self, port: int, picture: bytes, clients: int, every: float) -> None:
        task = Task(port=port, body="", connections=clients, **ASK)
        self.tally = Tally()
        self._every = every
        self._selector = selectors.DefaultSelector()
        self._clients = [
            Connection(task, request_bytes(task, picture), self._selector) for _ in range(clients)
        ]
        now = time.perf_counter()
        # Spread over the first period, so that they do not all come at once.
        self._due = [(now + every * number / clients, number) for number in range(clients)]
        self._asked: dict[Connection, float] = {}

    def run(self, seconds: float) -> None:
        """Send requests for some time, then wait for the last responses."""
        until = time.perf_counter() + seconds
        while (now := time.perf_counter()) < until or self._asked:
            while now < until and self._due and self._due[0][0] <= now:
                self._ask(heapq.heappop(self._due)[1])
            for key, events in self._selector.select(0.005):
                self._advance(key.data, events)
            if self._asked and now - min(self._asked.values()) > TIMEOUT_SECONDS:
                self.tally.faults.append(f"no answer within {TIMEOUT_SECONDS:g} s")
                break
        for client in self._clients:
            client.close()
        self._selector.close()

    def _ask(self, number: int) -> None:
        client = self._clients[number]
        client.send()
        self._asked[client] = client.started

    def _advance(self, client: Connection, events: int) -> None:
        if client not in self._asked:
            # The server closes connections that were idle for long.
            client.close()
            return
        try:
            answer = client.advance(events)
        except (OSError, ValueError) as error:
            self.tally.faults.append(f"{type(error).__name__}: {error}")
            client.close()
            answer = b""
        if answer is None:
            return
        millis = (time.perf_counter() - client.started) * 1000
        if answer:
            self.tally.add(int(answer.split(b" ", 2)[1]), millis, answer)
        del self._asked[client]
        due = max(client.started + self._every, time.perf_counter())
        heapq.heappush(self._due, (due, self._clients.index(client)))


def load(port: int, picture: bytes, clients: int, seconds: float, per_second: float = 0) -> Tally:
    """Send requests from several clients at once; `per_second` over all, 0 for no limit."""
    pace = Pace(port, picture, clients, clients / per_second if per_second else 0.0)
    pace.run(seconds)
    return pace.tally


class MemoryWatch(threading.Thread):
    """Resident bytes of a process and its children, once a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self.readings: list[int] = []

    def run(self) -> None:
        while not self._ended.wait(1):
            processes = (self._process, *self._process.children(recursive=True))
            self.readings.append(sum(one.memory_info().rss for one in processes))

    def end(self) -> None:
        self._ended.set()
        self.join()

    def growth(self, first: int) -> float:
        """From the mean around reading `first` to the mean of the last ones, as a fraction."""
        window = max(1, len(self.readings) // 20)
        start = statistics.mean(self.readings[first : first + window])
        return statistics.mean(self.readings[-window:]) / start - 1


def overload(port: int, picture: bytes, options: argparse.Namespace) -> list[tuple[str, bool]]:
    """Several times the server's capacity: accepted requests wait within the limit, others fail at once."""
    capacity = len(load(port, picture, 16, options.measure_seconds).accepted) / options.measure_seconds
    alone = load(port, picture, 1, 2)
    service_ms = float(np.percentile(alone.accepted, 99))
    wanted = options.times * capacity
    tally = load(port, picture, options.clients, options.overload_seconds, wanted)
    asked = (len(tally.accepted) + len(tally.refused)) / options.overload_seconds
    limit_ms = options.queue_seconds * 1000 + service_ms
    print(
        f"capacity {capacity:.1f}/s, asked {asked:.1f}/s: {len(tally.accepted)} accepted, "
        f"{len(tally.refused)} refused, {len(tally.faults)} faults; one service {service_ms:.0f} ms"
    )
    accepted, refused = p99(tally.accepted), p99(tally.refused)
    return [
        (f"accepted p99 {accepted:.0f} ms <= {limit_ms:.0f} ms", accepted <= limit_ms),
        (
            f"refused p99 {refused:.1f} ms <= {REFUSAL_MS:.0f} ms (median {p50(tally.refused):.1f} ms)",
            refused <= REFUSAL_MS,
        ),
        (f"asked {asked / capacity:.1f} times the capacity", asked >= 0.9 * wanted),
        (f"no request failed or hung {tally.faults[:2]}", not tally.faults),
    ]


def soak(port: int, pid: int, picture: bytes, options: argparse.Namespace) -> list[tuple[str, bool]]:
    """A load within capacity, for minutes: memory does not grow."""
    watch = MemoryWatch(pid)
    watch.start()
    tally = load(port, picture, 8, options.soak_seconds)
    watch.end()
    growth = watch.growth(min(60, len(watch.readings) // 3))
    print(f"{len(tally.accepted)} answered, {watch.readings[-1] / 1e6:.0f} MB at the end")
    return [
        (f"memory grew by {growth:.1%} (at most {MAX_GROWTH:.0%})", growth <= MAX_GROWTH),
        (f"no request failed {tally.faults[:2]}", not tally.faults and not tally.refused),
    ]


def p99(values: Sequence[float]) -> float:
    return float(np.percentile(values, 99)) if values else 0.0


def p50(values: Sequence[float]) -> float:
    return float(np.percentile(values, 50)) if values else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=ROOT / "runs" / "sample" / "export" / "model.onnx")
    parser.add_argument("--picture", type=Path, default=ROOT / "data/sample/JPEGImages/sample_000.jpg")
    parser.add_argument(
        "--times", type=float, default=4, help="requests as a multiple of the server's capacity"
    )
    parser.add_argument("--clients", type=int, default=640)
    parser.add_argument("--queue-seconds", type=float, default=5, help="the server's serve.queue_seconds")
    parser.add_argument("--measure-seconds", type=float, default=5, help="to find the capacity")
    parser.add_argument("--overload-seconds", type=float, default=60)
    parser.add_argument("--soak-seconds", type=float, default=300)
    options = parser.parse_args()
    end_on_sigterm()
    picture = options.picture.read_bytes()
    settings = ("--set", f"serve.queue_seconds={options.queue_seconds}")
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            server(Path(folder) / "serve.log", "--model", str(options.model.resolve()), *settings) as address,
        ):
            port = int(address.rpartition(":")[2])
            pid = psutil.Process().children()[-1].pid
            checks = overload(port, picture, options) + soak(port, pid, picture, options)
    except (OSError, ServedError) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    for text, kept in checks:
        print(f"{'ok  ' if kept else 'FAIL'} {text}")
    return 0 if all(kept for _, kept in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
