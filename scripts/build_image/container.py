"""A container without Docker: buildah unpacks the image, and runc, Docker's own runtime, runs it confined.

Needs root. The root file system is read-only, the user is the image's, all capabilities are dropped and
cannot be regained, and process ids, mounts, host name and IPC are its own. The network is the host's, there
is no seccomp profile, and no control group limits memory or cores.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

START_SECONDS = 180.0
STOP_SECONDS = 60.0
FOLDER_OPTIONS = ("nosuid", "nodev", "noexec")


class ContainerError(Exception):
    """A program failed, or the container did not start; the message says why."""


def run(*command: str | Path) -> str:
    """The standard output of a program. Raises ContainerError with its standard error."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ContainerError(f"{' '.join(map(str, command))}: {done.stderr.strip()[-1500:]}")
    return done.stdout.strip()


class Container:
    """A running container whose first process is the image's entry point."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path, started: float) -> None:
        self.name = name
        self.log = log
        self._process = process
        self._started = started

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program inside, as the image's user."""
        return subprocess.run(
            ["runc", "exec", self.name, *command], capture_output=True, text=True, check=False
        )

    def wait_until_ready(self, address: str) -> float:
        """Seconds from the start until /health/ready says 200. Raises ContainerError."""
        while time.monotonic() < self._started + START_SECONDS:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{address}/health/ready", timeout=2, trust_env=False).is_success:
                    return time.monotonic() - self._started
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise ContainerError(
            f"the server did not become ready:\n{self.log.read_text(errors='replace')[-2000:]}"
        )

    def stop(self) -> tuple[int, float]:
        """SIGTERM to process 1; its exit code, and how many seconds it took."""
        begin = time.monotonic()
        run("runc", "kill", self.name, "TERM")
        return self._process.wait(STOP_SECONDS), time.monotonic() - begin


@contextmanager
def unpacked(image: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The image's root file system and its settings."""
    made = run("buildah", "from", "--pull-never", image)
    try:
        described = json.loads(run("buildah", "inspect", "--type", "image", image))
        yield Path(run("buildah", "mount", made)), described["Docker"]["config"]
    finally:
        run("buildah", "rm", made)


@contextmanager
def running(
    root: Path, config: Mapping[str, Any], arguments: Sequence[str], folders: Mapping[str, Path], log: Path
) -> Iterator[Container]:
    """A container of an unpacked image; `folders` are mounted, and written to if their names end in +.

    It is killed at the end if it still runs.
    """
    with tempfile.TemporaryDirectory() as bundle, log.open("wb") as stream:
        Path(bundle, "config.json").write_text(json.dumps(_specification(root, config, arguments, folders)))
        name = Path(bundle).name
        started = time.monotonic()
        process = subprocess.Popen(
            ["runc", "run", "--bundle", bundle, name],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Container(name, process, log, started)
        finally:
            subprocess.run(["runc", "delete", "--force", name], capture_output=True, check=False)
            process.wait(STOP_SECONDS)


def _specification(
    root: Path, config: Mapping[str, Any], arguments: Sequence[str], folders: Mapping[str, Path]
) -> dict[str, Any]:
    """By the OCI runtime specification, version 1.0."""
    user, _, group = config["User"].partition(":")
    spaces = ("pid", "mount", "ipc", "uts")
    return {
        "ociVersion": "1.0.2",
        "root": {"path": str(root), "readonly": True},
        "hostname": "maskdet",
        "process": {
            "user": {"uid": int(user), "gid": int(group)},
            "args": [*config["Entrypoint"], *arguments],
            "env": config["Env"],
            "cwd": config["WorkingDir"],
            "capabilities": {
                kind: [] for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")
            },
            "noNewPrivileges": True,
        },
        "mounts": [*_system_mounts(), *(_mount(place, folder) for place, folder in folders.items())],
        "linux": {"namespaces": [{"type": space} for space in spaces]},
    }


def _system_mounts() -> list[dict[str, Any]]:
    """What Docker mounts, with the sizes that it gives."""
    memory = ["nosuid", "nodev"]
    return [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "mode=755", "size=65536k"],
        },
        {
            "destination": "/dev/shm",  # noqa: S108
            "type": "tmpfs",
            "source": "shm",
            "options": [*memory, "noexec", "mode=1777", "size=65536k"],
        },
    ]


def _mount(place: str, folder: Path) -> dict[str, Any]:
    access = "rw" if place.endswith("+") else "ro"
    options = ["rbind", access, *FOLDER_OPTIONS]
    return {"destination": place.rstrip("+"), "type": "bind", "source": str(folder), "options": options}
