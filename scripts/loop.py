"""The loop on the sample set, once around: serve, correct, capture, review, retrain, judge, promote, roll back.

Writes to runs/loop, runs/loop-inbox and runs/loop-models, and starts afresh each time. A client sends requests
from beginning to end; the last line says how many failed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from draw_sample import draw_set
from served import MASKDET, ROOT, ServedError, end_on_sigterm, server

from maskdet.dataset.voc import read_annotation
from maskdet.errors import RetrainingDue

PIPELINE = "configs/loop.yml"
RUNS = ROOT / "runs"
CAMERA = RUNS / "loop-camera"
MADE = (RUNS / "loop", RUNS / "loop-inbox", RUNS / "loop-models", CAMERA)
CORRECTED, CAPTURED = 30, 20
SWAP_SECONDS = 60.0


class LoopError(Exception):
    """A step did not do what it should; the message says which."""


def main() -> int:
    end_on_sigterm()
    try:
        go_round()
    except (LoopError, ServedError) as error:
        print(f"loop: {error}", file=sys.stderr)
        return 1
    return 0


def go_round() -> None:
    for folder in MADE:
        shutil.rmtree(folder, ignore_errors=True)
    draw_set(CAMERA, CORRECTED + CAPTURED, seed=11)
    pictures = sorted((CAMERA / "JPEGImages").iterdir())
    say("1. The shipped model is the first version, and the champion")
    maskdet("models", "register", "default", "-c", PIPELINE, "--name", "loop")
    maskdet("models", "promote", "loop@1", "-c", PIPELINE, "--why", "the shipped model")
    (RUNS / "loop").mkdir(parents=True, exist_ok=True)
    with (
        server(RUNS / "loop" / "serve.log", "-c", PIPELINE) as address,
        client(address, pictures[0]) as asked,
    ):
        say(f"2. A person corrects {CORRECTED} pictures on the web page")
        for picture in pictures[:CORRECTED]:
            correct(address, picture)
        say(f"3. The server captures {CAPTURED} pictures, and a person accepts them on /review")
        for picture in pictures[CORRECTED:]:
            detect(address, picture)
        accept_all(address)
        say("4. Is retraining due?")
        maskdet("drift", "-c", PIPELINE, expected=RetrainingDue.exit_code)
        say("5. The job that retrains, judges and promotes")
        maskdet("run", PIPELINE, "--ci")
        wait_for(asked, versions=2)
        say("6. Second thoughts: back to the version before")
        maskdet("models", "rollback", "-c", PIPELINE, "--why", "the demonstration")
        wait_for(asked, versions=3)
    say(f"{asked.requests} requests were sent meanwhile, {asked.failed} failed")
    print(json.dumps({"requests": asked.requests, "failed": asked.failed, "bundles": asked.bundles}))
    if asked.failed:
        raise LoopError(f"{asked.failed} of {asked.requests} requests failed: {dict(asked.faults)}")


class Client:
    """Sends one picture over and over. bundles: those that answered, without repetitions, in order."""

    def __init__(self, address: str, picture: Path) -> None:
        self._address, self._picture = address, picture
        self._stopped = threading.Event()
        self.requests = 0
        self.faults: Counter[str] = Counter()
        self.bundles: list[str] = []

    @property
    def failed(self) -> int:
        return self.faults.total()

    def run(self) -> None:
        while not self._stopped.is_set():
            self.requests += 1
            try:
                self._note(detect(self._address, self._picture)["model"]["bundle"])
            except LoopError as error:
                self.faults[str(error)] += 1
            self._stopped.wait(0.1)

    def stop(self) -> None:
        self._stopped.set()

    def _note(self, bundle: str) -> None:
        if self.bundles[-1:] != [bundle]:
            self.bundles.append(bundle)


@contextmanager
def client(address: str, picture: Path) -> Iterator[Client]:
    asked = Client(address, picture)
    thread = threading.Thread(target=asked.run)
    thread.start()
    try:
        yield asked
    finally:
        asked.stop()
        thread.join()


def wait_for(asked: Client, *, versions: int) -> None:
    deadline = time.monotonic() + SWAP_SECONDS
    while len(asked.bundles) < versions:
        if time.monotonic() > deadline:
            raise LoopError(f"the server still answers with {asked.bundles[-1:]} after {SWAP_SECONDS:.0f} s")
        time.sleep(0.1)
    print(f"The server answers with bundle {asked.bundles[-1]}.")


def correct(address: str, picture: Path) -> None:
    """What the editor of the web page sends."""
    annotation = CAMERA / "Annotations" / f"{picture.stem}.xml"
    boxes = [
        {"label": face.label, "box": face.box} for face in read_annotation(annotation).annotation.objects
    ]
    files = {"image": (picture.name, picture.read_bytes(), "image/jpeg")}
    post(f"{address}/v1/corrections", files=files, data={"boxes": json.dumps(boxes)})


def detect(address: str, picture: Path) -> dict[str, Any]:
    return post(f"{address}/v1/detect", content=picture.read_bytes(), headers={"Content-Type": "image/jpeg"})


def accept_all(address: str) -> None:
    """What the review page sends for the key `a`, for each picture of the queue."""
    deadline = time.monotonic() + SWAP_SECONDS
    while len(queue := waiting(address)) < CAPTURED:
        if time.monotonic() > deadline:
            raise LoopError(f"{len(queue)} pictures were captured, not {CAPTURED}")
        time.sleep(0.2)
    for one in queue:
        body = {"decision": "accept", "revision": one["revision"]}
        post(f"{address}/v1/review/pictures/{one['name']}/decision", json=body)


def waiting(address: str) -> Sequence[dict[str, Any]]:
    with httpx.Client(trust_env=False, timeout=60) as http:
        return list(checked(http.get(f"{address}/v1/review/pictures", params={"limit": 200}))["pictures"])


def post(url: str, **content: Any) -> dict[str, Any]:
    try:
        with httpx.Client(trust_env=False, timeout=60) as http:
            return checked(http.post(url, **content))
    except httpx.HTTPError as error:
        raise LoopError(f"{url}: {error!r}") from error


def checked(answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise LoopError(f"{answer.request.url} answered {answer.status_code}: {answer.text[:500]}")
    return dict(answer.json())


def maskdet(*arguments: str, expected: int = 0) -> None:
    """Run a command as a person would, and show it."""
    print(f"$ maskdet {' '.join(arguments)}", flush=True)
    done = subprocess.run([*MASKDET, *arguments], cwd=ROOT, check=False)
    if done.returncode != expected:
        raise LoopError(f"maskdet {arguments[0]} ended with {done.returncode}, not {expected}")


def say(line: str) -> None:
    print(f"\n{line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
