"""The registry overlay's container in its security context: its user, no rights, a read-only system."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from manifests import object_of
from support import write_tiny_bundle
from trained import REPO
from waiting import until

from maskdet.registry.registry import Registry
from rolling_update.deployment import of_pod
from served import free_port

POD = r"""
set -e
registry=$1 user=$2
shift 2
mount --make-rprivate /
mount -t tmpfs none /mnt
mkdir -m 1777 /mnt/tmp
mkdir /mnt/registry
mount --bind "$registry" /mnt/registry
mount -o remount,bind,ro /mnt/registry
mount -o remount,bind,ro /
if touch /written 2>/dev/null; then exit 99; fi
cd /
rights="--bounding-set=-all --inh-caps=-all --no-new-privs"
exec setpriv --reuid "$user" --regid "$user" --clear-groups $rights "$@"
"""
"""A mount namespace: /mnt/registry is the registry, /mnt/tmp the only place to write to."""


def in_pod(registry: Path, user: int, *command: str) -> list[str]:
    return ["unshare", "--mount", "sh", "-c", POD, "sh", str(registry), str(user), *command]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Two versions; the first is the champion."""
    made = Registry(tmp_path / "models")
    for number in (1, 2):
        made.register(
            "face-mask", write_tiny_bundle(tmp_path / f"{number}.onnx", metrics={"ap50": number / 10})
        )
    made.set_alias("face-mask", "champion", 1, why="start")
    return made


@pytest.fixture
def url(registry: Registry, tmp_path: Path) -> Iterator[str]:
    """The address of the container's server, which must end with 0."""
    pod = object_of("overlays/registry-volume", "Deployment")["spec"]["template"]["spec"]
    user = pod["securityContext"]["runAsUser"]
    folder = tmp_path / "models"
    _skip_unless_possible(folder, user)
    wanted, port = of_pod(pod), free_port()
    assert wanted.environment["MASKDET_REGISTRY"] == "/registry"
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": str(REPO),
        "TMPDIR": "/mnt/tmp",
        "MASKDET_REGISTRY": "/mnt/registry",
    }
    command = in_pod(folder, user, sys.executable, "-m", *wanted.at("127.0.0.1", port))
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(wanted.grace) == 0, (tmp_path / "log").read_text()
    finally:
        process.kill()
        process.wait()


def test_it_starts_and_follows_the_champion_without_any_right(url: str, registry: Registry) -> None:
    until(lambda: version_at(url) == 1)
    registry.set_alias("face-mask", "champion", 2, why="better")
    until(lambda: version_at(url) == 2)


def version_at(url: str) -> int | None:
    """Of the model that answers; None while none does."""
    try:
        answer = httpx.get(f"{url}/health/ready", trust_env=False)
    except httpx.TransportError:
        return None
    return answer.json()["models"][0]["version"] if answer.is_success else None


def _skip_unless_possible(folder: Path, user: int) -> None:
    """Only root may, where the container that it is in lets it; and the user must be able to read maskdet."""
    for program in ("unshare", "setpriv"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    probe = in_pod(folder, user, sys.executable, "-c", "import os; os.stat('/mnt/registry/face-mask')")
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    readable = in_pod(folder, user, "test", "-r", str(REPO / "maskdet/__init__.py"))
    if done.returncode or subprocess.run(readable, capture_output=True, check=False).returncode:
        pytest.skip(f"no mount namespace, or {REPO} is private: {done.stderr.strip()}")
