from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

START_SECONDS = 120
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


class MlflowServer:
    """A real MLflow server on loopback over one SQLite file, that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        database = ["--backend-store-uri", f"sqlite:///{self._folder / 'mlflow.db'}"]
        files = ["--artifacts-destination", str(self._folder / "files"), "--serve-artifacts"]
        listen = ["--host", "127.0.0.1", "--port", str(self._port), "--workers", "1"]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *database, *files, *listen],
                env={**os.environ, **QUIET},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "server.log").read_text()
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.1)

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=2):  # noqa: S310
                return True
        except OSError:
            return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MlflowServer]:
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    running = MlflowServer(tmp_path)
    running.start()
    yield running
    running.kill()
