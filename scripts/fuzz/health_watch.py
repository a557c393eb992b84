"""Poll a server's /health/live, and an idle bystander process for comparison.

`python scripts/fuzz/health_watch.py PORT` writes one JSON object when its standard input ends: milliseconds
of the `server` and of the `bystander`, with count, median, 99th percentile and maximum. The bystander
shows the machine's own latency at that time.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PAUSE_SECONDS = 0.005
TIMEOUT_SECONDS = 60.0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def milliseconds(connection: http.client.HTTPConnection) -> float:
    started = time.perf_counter()
    connection.request("GET", "/health/live")
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.OK:
        raise SystemExit(f"/health/live says {answer.status}")
    return (time.perf_counter() - started) * 1000


def summary(values: list[float]) -> dict[str, float]:
    ranked = sorted(values)
    return {
        "answers": len(ranked),
        "p50": round(ranked[len(ranked) // 2], 1),
        "p99": round(ranked[int(len(ranked) * 0.99)], 1),
        "longest": round(ranked[-1], 1),
    }


def watch(port: int) -> dict[str, dict[str, float]]:
    """Until standard input ends."""
    with bystander() as other:
        askers = {
            name: http.client.HTTPConnection("127.0.0.1", number, timeout=TIMEOUT_SECONDS)
            for name, number in (("server", port), ("bystander", other))
        }
        found: dict[str, list[float]] = {name: [] for name in askers}
        while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
            for name, connection in askers.items():
                found[name].append(milliseconds(connection))
    return {name: summary(values) for name, values in found.items()}


@contextmanager
def bystander() -> Iterator[int]:
    """The port of a process that responds with two bytes."""
    process = subprocess.Popen([sys.executable, __file__, "bystander"], stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline()) if process.stdout else 0
    finally:
        process.kill()
        process.communicate()


async def answer_for_ever() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(ANSWER)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def watched(port: int) -> Iterator[dict[str, Any]]:
    """The result of `watch` during the block, filled in at its end."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = {}
    try:
        yield found
        said, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        found.update(json.loads(said))
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    if sys.argv[1] == "bystander":
        asyncio.run(answer_for_ever())
    else:
        print(json.dumps(watch(int(sys.argv[1]))))
