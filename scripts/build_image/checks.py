"""What the server must do in its container: real requests, fuzzing, a swap, a stop under load."""

from __future__ import annotations

import collections
import http.client
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from build_image.container import Container, ContainerError, running
from fuzz.fuzzer import fuzz
from fuzz.target import PATIENCE, model_name
from maskdet.detector.shipped import shipped_model
from maskdet.registry.registry import Registry
from served import ROOT, free_port
from variants import commented

PICTURES = ROOT / "data" / "sample" / "JPEGImages"
CLIENTS = 4
GRACE_SECONDS = 35.0
"""For a stop: serve.drain_seconds and five more."""
SWAP_SECONDS = 60.0
SENT = 10
Checks = list[tuple[str, bool]]


class Load:
    """Clients that send pictures all the time, each request on a connection of its own."""

    def __init__(self, port: int) -> None:
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.versions: collections.Counter[str] = collections.Counter()
        self._port = port
        self._picture = next(PICTURES.glob("*.jpg")).read_bytes()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._client) for _ in range(CLIENTS)]

    def _client(self) -> None:
        while not self._ended.is_set():
            outcome, version = sent(self._port, self._picture)
            self.outcomes[outcome] += 1
            self.versions[version] += 1
            if outcome == "not accepted":
                time.sleep(0.01)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    @property
    def whole(self) -> int:
        """Requests with a whole answer."""
        return self.outcomes["answered"] + self.outcomes["refused"]


def sent(port: int, picture: bytes) -> tuple[str, str]:
    """What became of one request, and which version answered it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.connect()
    except ConnectionError:
        return "not accepted", ""
    try:
        connection.request("POST", "/v1/detect", picture, {"Content-Type": "image/jpeg"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__, ""
    finally:
        connection.close()
    kinds = {200: "answered", 503: "refused"}
    return kinds.get(answer.status, f"status {answer.status}"), answer.getheader("X-Maskdet-Version", "")


@contextmanager
def loaded(port: int) -> Iterator[Load]:
    load = Load(port)
    load.start()
    try:
        yield load
    finally:
        load.end()


def check(root: Path, config: Mapping[str, Any], folder: Path, requests: int) -> Checks:
    """Run everything in containers of the unpacked image. Prints figures, returns what was kept."""
    folder.chmod(0o755)
    found = stopped_while_starting(root, config, folder)
    port = free_port()
    registry = two_versions(folder)
    inbox = folder / "inbox"
    inbox.mkdir()
    os.chown(inbox, *map(int, config["User"].split(":")))
    arguments = ["--model", "models:face-mask@champion", "--inbox", "/inbox", *PATIENCE]
    arguments += ["--set", f"serve.port={port}"]
    mounts = {"/models": registry.folder, "/inbox+": inbox}
    with running(root, config, arguments, mounts, folder / "serve.log") as server:
        seconds = server.wait_until_ready(f"http://127.0.0.1:{port}")
        print(f"ready {seconds:.1f} s after the start of the container")
        found += confined(server) + healthy(server, config, port) + answers(port, inbox)
        found += fuzzed(port, requests)
        found += swapped(port, registry)
        found += stopped_under_load(server, port)
        lines = server.log.read_text(errors="replace").splitlines()
    found.append(("no traceback in the log", not [line for line in lines if '"traceback"' in line]))
    return found


def two_versions(folder: Path) -> Registry:
    """A registry with two versions of the shipped model, of which the first is champion."""
    registry = Registry(folder / "models")
    for number in (1, 2):
        bundle = folder / f"{number}.onnx"
        bundle.write_bytes(commented(shipped_model().read_bytes(), str(number)))
        registry.register("face-mask", bundle)
    registry.set_alias("face-mask", "champion", 1, why="start")
    return registry


def stopped_while_starting(root: Path, config: Mapping[str, Any], folder: Path) -> Checks:
    """A signal that comes before the server listens: Linux gives process 1 no default for it, so the command
    has to catch it from its beginning.
    """
    with running(root, config, ["--set", f"serve.port={free_port()}"], {}, folder / "start.log") as server:
        if not met(lambda: catches_sigterm(server), 30):
            raise ContainerError("process 1 does not catch SIGTERM")
        code, seconds = server.stop()
    print(f"stopped while it started: exit code {code} after {seconds:.1f} s")
    return [("a stop while it starts ends it", seconds < GRACE_SECONDS and code in {0, 143})]


def catches_sigterm(server: Container) -> bool:
    """Not yet, while Python starts."""
    caught = re.search(r"^SigCgt:\s*(\w+)", server.execute("cat", "/proc/1/status").stdout, re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) & 1 << (signal.SIGTERM - 1))


def confined(server: Container) -> Checks:
    """What the process has, as the kernel says."""
    status = server.execute("cat", "/proc/1/status").stdout
    fields = {key: value.split() for key, _, value in (line.partition(":") for line in status.splitlines())}
    none = all(int(fields[kind][0], 16) == 0 for kind in ("CapPrm", "CapEff", "CapBnd", "CapAmb", "CapInh"))
    writable = server.execute("touch", "/work/x").returncode == 0
    return [
        ("process 1 is the server", "serve" in server.execute("cat", "/proc/1/cmdline").stdout),
        ("it runs as 65532", set(fields["Uid"]) == set(fields["Gid"]) == {"65532"}),
        ("it has no capabilities and gains none", none and fields["NoNewPrivs"] == ["1"]),
        ("its root file system is read-only", not writable),
    ]


def healthy(server: Container, config: Mapping[str, Any], port: int) -> Checks:
    """The image's HEALTHCHECK, and `maskdet status`, inside the container."""
    kind, *command = config["Healthcheck"]["Test"]
    asked = server.execute(*(part.replace("8866", str(port)) for part in command))
    wrong = server.execute(*(part.replace("8866", str(free_port())) for part in command))
    status = server.execute("maskdet", "status", "--port", str(port))
    print(status.stdout.strip() or status.stderr.strip())
    passes = kind == "CMD" and asked.returncode == 0 and wrong.returncode != 0
    return [
        ("HEALTHCHECK passes, and fails without a server", passes),
        ("maskdet status finds the server", status.returncode == 0),
    ]


def answers(port: int, inbox: Path) -> Checks:
    """Real pictures, and the inbox's volume."""
    faces = 0
    for picture in sorted(PICTURES.glob("*.jpg"))[:SENT]:
        faces += len(
            asked(port, "POST", "/v1/detect", picture.read_bytes(), "image/jpeg")["results"][0]["detections"]
        )
    metrics = asked_text(port, "GET", "/metrics")
    counted = f'maskdet_requests_total{{method="POST",route="/v1/detect",status="200"}} {SENT}.0'
    print(f"{SENT} pictures of data/sample: {faces} faces")
    return [
        ("real pictures have faces", faces > 0),
        ("/metrics counts them", counted in metrics),
        ("the inbox's volume is the server's", any(inbox.iterdir())),
    ]


def fuzzed(port: int, requests: int) -> Checks:
    address = f"http://127.0.0.1:{port}"
    statuses, faults = fuzz(port, model_name(address), requests, seed=1, seconds=300)
    print(f"fuzz: {sum(statuses.values())} requests: {dict(sorted(statuses.items()))}")
    return [(f"fuzzing finds no fault {faults[:3]}", not faults and sum(statuses.values()) == requests)]


def swapped(port: int, registry: Registry) -> Checks:
    """The alias moves outside, in the mounted registry, while clients send."""
    with loaded(port) as load:
        met(lambda: load.versions["1"] >= CLIENTS, SWAP_SECONDS)
        begin = time.monotonic()
        registry.set_alias("face-mask", "champion", 2, why="it is better")
        arrived = met(lambda: load.versions["2"] > 0, SWAP_SECONDS)
        seconds = time.monotonic() - begin
        met(lambda: load.versions["2"] >= 2 * CLIENTS, SWAP_SECONDS)
    print(f"swap: version 2 answers {seconds:.1f} s after the promotion; {dict(load.outcomes)}")
    return [("a promotion is followed, and no request fails", arrived and set(load.outcomes) == {"answered"})]


def stopped_under_load(server: Container, port: int) -> Checks:
    """Whatever the server has read, by its own log, must reach its client.

    A connection that is still in the system's queue when the port closes is reset unread.
    """
    before = detections_logged(server)
    with loaded(port) as load:
        met(lambda: load.outcomes["answered"] >= 5 * CLIENTS, SWAP_SECONDS)
        code, seconds = server.stop()
    # The log of the request before may come late; but whatever is lost has failed for a client.
    failed = sum(load.outcomes.values()) - load.whole - load.outcomes["not accepted"]
    lost = min(failed, detections_logged(server) - before - load.whole)
    print(f"stop under load: exit code {code} after {seconds:.1f} s; {dict(load.outcomes)}, {lost} lost")
    return [
        (
            f"SIGTERM ends it within {GRACE_SECONDS:.0f} s with exit code 0",
            code == 0 and seconds < GRACE_SECONDS,
        ),
        ("every request that the server has read is answered", lost == 0),
    ]


def detections_logged(server: Container) -> int:
    return server.log.read_text(errors="replace").count('"path": "/v1/detect"')


def asked(port: int, method: str, path: str, body: bytes = b"", kind: str = "") -> Any:
    return json.loads(asked_text(port, method, path, body, kind))


def asked_text(port: int, method: str, path: str, body: bytes = b"", kind: str = "") -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": kind} if kind else {})
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != 200:
        raise ContainerError(f"{method} {path}: status {answer.status}: {text[:300]}")
    return text


def met(condition: Callable[[], object], seconds: float) -> bool:
    """Wait until it is true, at most so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
