"""One server process, started, probed and ended as a Deployment's pod is."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import httpx

from rolling_update.deployment import Deployment, Probe
from served import MASKDET, ROOT

HOST = "127.0.0.1"


class ReplicaError(Exception):
    """A replica did not start or end as its Deployment wants it; the message says why."""


class Replica:
    """The container's command on a port of this machine; its standard error is kept in `folder`."""

    def __init__(self, deployment: Deployment, port: int, folder: Path) -> None:
        self.port = port
        self._deployment = deployment
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    def start(self) -> None:
        """Without waiting for it."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self._folder,
                env=self._environment(),
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def await_ready(self) -> float:
        """Seconds until both probes succeed. Raises ReplicaError where the pod would be killed."""
        started = time.monotonic()
        probe = self._deployment.startup
        for _ in range(probe.failures):
            if self._passes(probe) and self._passes(self._deployment.readiness):
                return time.monotonic() - started
            if self.process.poll() is not None:
                raise ReplicaError(f"{self}: ended with {self.process.returncode}:\n{self._tail()}")
            time.sleep(probe.period)
        raise ReplicaError(f"{self}: not ready after {probe.failures} probes:\n{self._tail()}")

    def check_alive(self) -> None:
        """Raises ReplicaError if the liveness probe fails as often as would restart the pod."""
        probe = self._deployment.liveness
        if not any(self._passes(probe) for _ in range(probe.failures)):
            raise ReplicaError(f"{self}: does not answer its liveness probe:\n{self._tail()}")

    def terminate(self) -> float:
        """SIGTERM; the seconds until it has ended. Raises ReplicaError if it fails, or must be killed.

        Without the pause before it, which is for endpoints to be withdrawn: a proxy with a fixed list goes on
        sending, so the server is stopped while requests arrive.
        """
        started = time.monotonic()
        self.process.terminate()
        try:
            status = self.process.wait(self._deployment.grace - self._deployment.pause)
        except subprocess.TimeoutExpired as error:
            raise ReplicaError(f"{self}: has not ended within its grace period:\n{self._tail()}") from error
        if status != 0:
            raise ReplicaError(f"{self}: ended with {status}:\n{self._tail()}")
        return time.monotonic() - started

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process of the last start."""
        if self._process is None:
            raise ReplicaError(f"{self}: was not started")
        return self._process

    def __str__(self) -> str:
        return f"replica on port {self.port}"

    def _passes(self, probe: Probe) -> bool:
        try:
            url = f"http://{HOST}:{self.port}{probe.path}"
            # A proxy from the environment must not see requests to this machine.
            return httpx.get(url, timeout=probe.timeout, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def _command(self) -> list[str]:
        """The Deployment's, with the `maskdet` of this interpreter."""
        program, *arguments = self._deployment.at(HOST, self.port)
        if program != "maskdet":
            raise ReplicaError(f"{self}: its command is {program}, not maskdet")
        return [*MASKDET, *arguments]

    def _environment(self) -> dict[str, str]:
        """The Deployment's, and where this checkout and temporary files are."""
        return {
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT),
            **self._deployment.environment,
            # Each pod has a /tmp of its own.
            "TMPDIR": str(self._folder),
        }

    def _tail(self) -> str:
        return "\n".join((self._folder / "log").read_text(errors="replace").splitlines()[-10:])
