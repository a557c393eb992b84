"""Predict and serve one picture with the installed maskdet: `python scripts/smoke.py`.

Works in an empty folder, so that nothing of the repository is imported. Says how large the packages are, and
how long the server takes to its first answer.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

PICTURE = Path(__file__).resolve().parent.parent / "data" / "sample" / "JPEGImages" / "sample_001.jpg"
LABEL = "without_mask"
MASKDET = (sys.executable, "-m", "maskdet")
MOST_BYTES = 420_000_000
"""What an installation for serving and predicting may take, beside the installers."""
GIVE_UP_SECONDS = 120.0
_INSTALLERS = ("pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack")


class SmokeError(Exception):
    """The installation does not work; the message says what."""


def main() -> int:
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            predict(folder)
            print(f"smoke: predict and serve answer; serve does so {serve(folder):.2f} s after its start")
    except SmokeError as error:
        print(f"smoke: {error}", file=sys.stderr)
        return 1
    size = packages_bytes(Path(sysconfig.get_path("purelib")))
    print(f"smoke: the packages take {size / 1e6:.1f} MB; at most {MOST_BYTES / 1e6:.0f} MB are allowed")
    return 0 if size <= MOST_BYTES else 1


def predict(folder: Path) -> None:
    """Raise SmokeError unless `maskdet predict` finds the picture's face."""
    command = [*MASKDET, "predict", str(PICTURE), "--format", "json", "--out", "answers"]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SmokeError(f"predict ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    written = json.loads((folder / "answers" / "predictions.json").read_text(encoding="utf-8"))
    expect_face(written["pictures"][0])


def serve(folder: Path) -> float:
    """Seconds from the start of `maskdet serve` to its first answer, in which the face must be."""
    port, began = free_port(), time.perf_counter()
    with server(folder, port) as process:
        while time.perf_counter() - began < GIVE_UP_SECONDS and process.poll() is None:
            if (answer := ask(port)) is not None:
                expect_face(answer["results"][0])
                return time.perf_counter() - began
            time.sleep(0.02)
    log = (folder / "serve.log").read_text(encoding="utf-8", errors="replace")
    raise SmokeError(f"serve gave no answer; it ended with {process.returncode}:\n{log[-2000:]}")


@contextmanager
def server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [*MASKDET, "serve", "--port", str(port)]
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(GIVE_UP_SECONDS)


def ask(port: int) -> dict[str, Any] | None:
    """The answer to the picture, None while the server is not there."""
    try:
        # A proxy from the environment must not see requests to this machine.
        with httpx.Client(trust_env=False, timeout=GIVE_UP_SECONDS) as client:
            answer = client.post(
                f"http://127.0.0.1:{port}/v1/detect",
                content=PICTURE.read_bytes(),
                headers={"Content-Type": "image/jpeg"},
            )
    except httpx.TransportError:
        return None
    return dict(answer.json()) if answer.is_success else None


def expect_face(result: dict[str, Any]) -> None:
    found = [one["label"] for one in result["detections"]]
    if found != [LABEL]:
        raise SmokeError(f"{PICTURE.name} has one face, {LABEL}; found: {found}")


def packages_bytes(folder: Path) -> int:
    """Sizes of all files of the folder but those of installers."""
    own = [one for one in folder.iterdir() if one.name.partition("-")[0] not in _INSTALLERS]
    files = (file for one in own for file in (one.rglob("*") if one.is_dir() else (one,)))
    return sum(file.stat().st_size for file in files if file.is_file())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment() -> dict[str, str]:
    """Without what would put other code or settings in the place of the installed package's."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MASKDET_"))}


if __name__ == "__main__":
    sys.exit(main())
