"""Tasks of a server that die: at its start, and later."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from waiting import until

import maskdet
from maskdet.errors import ServingError
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.served_model import ServedModel, Work
from maskdet.serving.process.server import _again as again
from maskdet.serving.settings import ServeSettings

SCRIPT = Path(__file__).parents[1] / "server_process.py"
BREAK = """
import os, sys, time
if os.environ.get("BREAK_PROBE") and "pytest" not in sys.argv[0]:
    from maskdet.serving.engine.served_model import ServedModel

    def probe(self):
        {}

    ServedModel.probe = probe
"""


def start_broken(bundle: Path, folder: Path, workers: int, probe: str) -> subprocess.Popen[str]:
    """A server whose probe is this statement."""
    (folder / "sitecustomize.py").write_text(BREAK.format(probe))
    return subprocess.Popen(
        [sys.executable, SCRIPT, bundle, json.dumps({"port": 0, "workers": workers}), "0"],
        env={
            **os.environ,
            "BREAK_PROBE": "1",
            "PYTHONPATH": os.pathsep.join((str(folder), str(Path(maskdet.__file__).parents[1]))),
            "XDG_RUNTIME_DIR": str(folder),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "workers",
    [1, pytest.param(2, marks=pytest.mark.skipif(os.name != "posix", reason="several workers need POSIX"))],
)
def test_probe_that_fails_in_any_way_ends_the_start(tiny_bundle: Path, tmp_path: Path, workers: int) -> None:
    """Whatever goes wrong there, no server stays in the state "starting" for ever."""
    server = start_broken(tiny_bundle, tmp_path, workers, 'raise MemoryError("no memory for the probe")')
    stdout, stderr = server.communicate(timeout=120)

    assert server.returncode == ServingError.exit_code
    assert stdout == ""
    assert "MemoryError: no memory for the probe" in stderr.splitlines()[-2]
    assert "Traceback" not in stderr.splitlines()[-1]
    assert '"traceback"' in stderr


@pytest.mark.parametrize("workers", [1, 2])
def test_stop_does_not_wait_for_the_probe(tiny_bundle: Path, tmp_path: Path, workers: int) -> None:
    server = start_broken(
        tiny_bundle, tmp_path, workers, f"open({str(tmp_path / 'probing')!r}, 'a').close(); time.sleep(600)"
    )
    until((tmp_path / "probing").exists)
    server.send_signal(signal.SIGTERM)
    _, stderr = server.communicate(timeout=60)

    assert server.returncode == 0, stderr


def test_failed_probe_is_told_by_the_engine(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ServeSettings()
    engine = Engine({"tiny": ServedModel.load("tiny", tiny_bundle, settings, cores=1)}, settings)

    def fail(self: ServedModel) -> None:
        raise MemoryError

    monkeypatch.setattr(ServedModel, "probe", fail)
    with pytest.raises(MemoryError):
        asyncio.run(engine.probe())

    assert (engine.state, engine.reason) == ("failed", "the model fails; see the log")


def test_engine_that_drains_before_its_probe_is_over_has_not_failed(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ServeSettings()
    engine = Engine({"tiny": ServedModel.load("tiny", tiny_bundle, settings, cores=1)}, settings)
    monkeypatch.setattr(ServedModel, "probe", lambda _: engine.drain())

    asyncio.run(engine.probe())

    assert (engine.state, engine.reason) == ("draining", "the server is stopping")


def test_inference_thread_outlives_a_batch_that_fails_outside_the_model(
    in_process: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = in_process(threads=1)
    blank = Work(np.zeros((64, 64, 3), np.uint8))

    def fail(*_: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(Engine, "_answer", fail)
        with pytest.raises(MemoryError):
            asyncio.run(asyncio.wait_for(server.engine.submit(blank), 60))

    assert asyncio.run(asyncio.wait_for(server.engine.submit(blank), 60)).size == (64, 64)


def test_task_that_the_server_can_do_without_begins_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("maskdet.serving.process.server.RETRY_SECONDS", 0.001)
    begun = []

    async def work() -> None:
        begun.append(time.monotonic())
        if len(begun) < 3:
            raise MemoryError

    asyncio.run(again(work))

    assert len(begun) == 3
    assert [record.message for record in caplog.records] == ["background task failed"] * 2
