"""Work that hangs keeps no process from its end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import weakref

import pytest
from waiting import until

from maskdet.serving.engine.daemon_thread import DaemonThread, in_daemon

HANG = """
import asyncio, threading, time
from maskdet.serving.engine.daemon_thread import DaemonThread, in_daemon

async def main():
    asyncio.ensure_future(in_daemon("probe", time.sleep, 600))
    await asyncio.sleep(0.1)

gpu = DaemonThread("gpu")
gpu.submit(threading.Event().wait)
asyncio.run(main())
"""


def test_process_ends_while_its_threads_hang() -> None:
    assert subprocess.run([sys.executable, "-c", HANG], timeout=60, check=False).returncode == 0


def test_thread_ends_with_its_last_owner_and_holds_nothing_it_has_done() -> None:
    class Batch:
        pass

    batch, seen = Batch(), []
    thread = DaemonThread("mine")

    def work(done: Batch) -> None:
        seen.append((weakref.ref(done), threading.current_thread()))

    thread.submit(work, batch).result(30)
    del batch
    [(held, runner)] = seen
    until(lambda: held() is None)
    assert runner.is_alive()
    del thread
    runner.join(30)
    assert not runner.is_alive()


def test_caller_gets_the_error() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(in_daemon("mine", lambda: 1 / 0))
