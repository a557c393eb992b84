"""The loop on the sample set, once: serve, correct, capture, review, retrain, judge, promote, roll back.

All is written into FOLDER (runs/loop); what an earlier call left there is removed first. A client sends
requests from beginning to end; the last line says how many failed.
"""

from __future__ import annotations

import argparse
import json
import shlex
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

from draw_sample.sample_set import draw_set
from maskdet.dataset.reading.annotation import read_annotation
from maskdet.errors import RetrainingDue
from served import MASKDET, ROOT, ServedError, end_on_sigterm, server

CAMERA = "camera"
"""Folder of the pictures that the camera sees."""
CORRECTED, CAPTURED = 30, 20
SEEN = 30
"""Pictures from which the server captures: those like one that it has already are not captured."""
SWAP_SECONDS = 60.0
PAUSE_SECONDS = 0.25
"""Of the client, between an answer and its next request."""


class LoopError(Exception):
    """A step did not do what it should; the message says which."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "runs" / "loop", metavar="FOLDER")
    end_on_sigterm()
    try:
        Loop(parser.parse_args().folder.resolve()).go_round()
    except (LoopError, ServedError) as error:
        print(f"loop: {error}", file=sys.stderr)
        return 1
    return 0


class Loop:
    """One project in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        clear(folder)
        shutil.copytree(ROOT / "data" / "sample", folder / "sample")
        shutil.copy(ROOT / "configs" / "loop.yml", folder / "pipeline.yml")
        draw_set(folder / CAMERA, CORRECTED + SEEN, seed=11)
        self._folder = folder
        self._pictures = sorted((folder / CAMERA / "JPEGImages").iterdir())

    def go_round(self) -> None:
        say("1. The shipped model is the first version, and the champion")
        self.maskdet("models", "register", "default", "--name", "loop")
        self.maskdet("models", "promote", "loop@1", "--why", "the shipped model")
        log, file = self._folder / "serve.log", self._folder / "pipeline.yml"
        with server(log, "-c", str(file)) as address, client(address, self._pictures[0]) as asked:
            self._collect(address)
            self._improve(asked)
        told = {"requests": asked.requests, "failed": asked.failed, "versions": asked.versions}
        print(f"\n{json.dumps(told)}")
        if asked.failed:
            raise LoopError(f"{asked.failed} of {asked.requests} requests failed: {dict(asked.faults)}")

    def _collect(self, address: str) -> None:
        say(f"2. A person corrects {CORRECTED} pictures on the web page")
        for picture in self._pictures[:CORRECTED]:
            correct(address, picture)
        say(f"3. The server captures {CAPTURED} pictures, and a person accepts them on {address}/review")
        for picture in self._pictures[CORRECTED:]:
            detect(address, picture)
        accept_all(address)

    def _improve(self, asked: Client) -> None:
        say("4. Is retraining due?")
        self.maskdet("drift", expected=RetrainingDue.exit_code)
        say("5. The job that retrains, judges and promotes")
        self.maskdet("run", "--ci")
        wait_for(asked, [1, 2])
        say("6. Second thoughts: back to the version before")
        self.maskdet("models", "rollback", "--why", "the demonstration")
        wait_for(asked, [1, 2, 1])
        self.maskdet("models", "history")

    def maskdet(self, *arguments: str, expected: int = 0) -> None:
        """Run a command as a person would, and show it."""
        print(f"$ maskdet {shlex.join(arguments)}", flush=True)
        done = subprocess.run([*MASKDET, *arguments], cwd=self._folder, check=False)
        if done.returncode != expected:
            raise LoopError(f"maskdet {arguments[0]} ended with {done.returncode}, not {expected}")


def clear(folder: Path) -> None:
    """Remove what an earlier call wrote, and nothing else."""
    if (folder / CAMERA).is_dir():
        shutil.rmtree(folder)
    elif folder.exists():
        raise LoopError(f"{folder} exists, and is not from an earlier call: name another folder")


class Client:
    """Sends one picture over and over. versions: those that answered, in order."""

    def __init__(self, address: str, picture: Path) -> None:
        self._address, self._picture = address, picture
        self._stopped = threading.Event()
        self.requests = 0
        self.faults: Counter[str] = Counter()
        self.versions: list[int] = []

    @property
    def failed(self) -> int:
        return self.faults.total()

    def run(self) -> None:
        while not self._stopped.is_set():
            self.requests += 1
            try:
                self._note(answerer(detect(self._address, self._picture)))
            except LoopError as error:
                self.faults[str(error)] += 1
            self._stopped.wait(PAUSE_SECONDS)

    def stop(self) -> None:
        self._stopped.set()

    def _note(self, version: int) -> None:
        if self.versions[-1:] != [version]:
            self.versions.append(version)


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


def wait_for(asked: Client, versions: list[int]) -> None:
    deadline = time.monotonic() + SWAP_SECONDS
    while asked.versions != versions:
        if time.monotonic() > deadline:
            raise LoopError(f"versions {asked.versions} answered, not {versions}, after {SWAP_SECONDS:.0f} s")
        time.sleep(0.1)
    print(f"Version {versions[-1]} answers.")


def answerer(answer: dict[str, Any]) -> int:
    """The version of the model that answered."""
    return int(answer["results"][0]["model"]["version"])


def correct(address: str, picture: Path) -> None:
    """What the editor of the web page sends."""
    path = picture.parents[1] / "Annotations" / f"{picture.stem}.xml"
    annotation = read_annotation(path, path.name).annotation
    if annotation is None:
        raise LoopError(f"{path} cannot be read")
    boxes = [{"label": face.label, "box": face.box} for face in annotation.objects]
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
    for one in queue[:CAPTURED]:
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


def say(line: str) -> None:
    print(f"\n{line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
