"""The demonstration: run the pipeline on the sample set, serve the model, ask it once, end the server."""

from __future__ import annotations

import base64
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from maskdet.dataset.manifest import load_manifest

ROOT = Path(__file__).resolve().parent.parent
PIPELINE = "configs/sample.yml"
RESULTS = ROOT / "runs" / "sample"
MASKDET = (sys.executable, "-m", "maskdet")
START_SECONDS = 60.0
STOP_SECONDS = 10.0


class DemoError(Exception):
    """A step of the demonstration failed; the message says which and where to look."""


def main() -> int:
    # SIGTERM unwinds like an exit, so that the server is ended too.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    trained = subprocess.run([*MASKDET, "run", PIPELINE], cwd=ROOT, check=False)
    if trained.returncode:
        return trained.returncode
    try:
        show(ask())
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


def ask() -> dict[str, Any]:
    """Start the server, send it one validation picture, and end it."""
    folder = RESULTS / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    picture = val_picture()
    with server(folder / "serve.log") as address:
        print(f"\nPOST {address}/v1/detect  ({picture.relative_to(ROOT)})")
        answer = post(f"{address}/v1/detect", picture)
    if answer.status_code != httpx.codes.OK:
        raise DemoError(f"the server answered {answer.status_code}: {answer.text}")
    return dict(answer.json())


def post(url: str, picture: Path) -> httpx.Response:
    headers = {"Content-Type": "image/jpeg"}
    try:
        with httpx.Client(trust_env=False, timeout=60) as client:
            return client.post(
                url, params={"visualize": "true"}, content=picture.read_bytes(), headers=headers
            )
    except httpx.HTTPError as error:
        raise DemoError(f"the request failed: {error}") from error


def show(answer: dict[str, Any]) -> None:
    """Print the answer and save the picture that came with it."""
    drawn = RESULTS / "demo" / "answer.jpg"
    for result in answer["results"]:
        drawn.write_bytes(base64.b64decode(result.pop("image")))
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    print(f"\nThe picture with its boxes: {drawn.relative_to(ROOT)}")


def val_picture() -> Path:
    """The validation picture with the most faces."""
    pictures = load_manifest(RESULTS / "prepare" / "manifest.json").part("val")
    chosen = max(pictures, key=lambda picture: len(picture.objects))
    return ROOT / "data" / "sample" / chosen.picture


@contextmanager
def server(log: Path) -> Iterator[str]:
    """A running server's address; the process is gone afterwards, whatever happened."""
    port = free_port()
    command = [*MASKDET, "serve", "-c", PIPELINE, "--set", f"serve.port={port}"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_ready(process, address, log)
            yield address
        finally:
            end(process)


def wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoError(f"the server ended with exit code {process.returncode}; its log is {log}")
        if is_ready(address):
            return
        time.sleep(0.2)
    raise DemoError(f"the server was not ready after {START_SECONDS:.0f} s; its log is {log}")


def is_ready(address: str) -> bool:
    try:
        # A proxy from the environment must not see requests to this machine.
        return httpx.get(f"{address}/health/ready", timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
