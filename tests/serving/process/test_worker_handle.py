"""A worker process as its supervisor sees it: which answer belongs to which question."""

from __future__ import annotations

import asyncio
import json
import socket
from types import SimpleNamespace
from typing import Any

from maskdet.serving.process.worker_handle import WorkerProcess


async def over_a_line() -> tuple[WorkerProcess, asyncio.StreamReader, asyncio.StreamWriter]:
    """A worker, and the end of its line that the process itself has."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)

    async def wait() -> int:
        return 0

    process: Any = SimpleNamespace(pid=1, returncode=None, wait=wait)
    return WorkerProcess(process, reader, writer), *(await asyncio.open_connection(sock=theirs))


def test_the_answer_to_a_missed_reload_is_not_taken_for_that_of_the_next_round() -> None:
    async def rounds() -> list[Any]:
        worker, orders, line = await over_a_line()

        def say(what: dict[str, Any]) -> None:
            line.write(json.dumps(what).encode() + b"\n")

        async def ordered() -> dict[str, Any]:
            order: dict[str, Any] = json.loads(await orders.readline())
            return order

        is_ready = asyncio.Event()
        listening = asyncio.ensure_future(worker.listen(is_ready.set, lambda *_: None))
        assert await worker.reload("") == []
        say({"event": "ready", "thresholds": {}})
        await is_ready.wait()
        asked = asyncio.ensure_future(worker.reload("tiny"))
        missed, second = await ordered(), await ordered()
        assert (missed["model"], second["model"]) == ("", "tiny")
        say({**missed, "event": "reloaded", "models": ["missed"]})
        say({**second, "event": "reloaded", "models": ["second"]})
        found = await asked
        line.close()
        await listening
        return found

    assert asyncio.run(asyncio.wait_for(rounds(), 60)) == ["second"]
