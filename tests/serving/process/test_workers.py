"""Several worker processes on one port: sharing, replaced when killed, stopped together."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import LABELS, paint, write_tiny_bundle
from waiting import until

from maskdet.errors import BundleError
from maskdet.serving.process.control import status, stop
from maskdet.serving.process.records import read_records
from maskdet.serving.process.supervisor import Supervisor, cores_of
from maskdet.serving.process.worker_handle import WorkerProcess
from maskdet.serving.process.worker_handle import _failure as failure
from maskdet.serving.settings import ServeSettings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="several workers need POSIX")

PNG = {"content-type": "image/png"}
MASKED = cv2.imencode(".png", paint({(1, 2): "with_mask"})[:, :, ::-1])[1].tobytes()
OTHER = ("without_mask", "with_mask", "mask_weared_incorrect")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("swapped") / "model.onnx")


@pytest.fixture(scope="module")
def pair(bundle: Path, tmp_path_factory: pytest.TempPathFactory, start_server: Any) -> Iterator[Any]:
    """Two workers behind one port, for tests that leave them running."""
    with start_server(bundle, tmp_path_factory.mktemp("runtime"), workers=2) as server:
        yield server
        server.end()


def workers_of(server: Any) -> set[int]:
    return {child.pid for child in psutil.Process(server.process.pid).children()}


def detect(url: str) -> httpx.Response:
    """One request over a connection of its own, so that any worker may get it."""
    return httpx.post(f"{url}/v1/detect", content=MASKED, headers=PNG, timeout=60)


def counters(url: str) -> dict[str, float]:
    text = httpx.get(f"{url}/metrics", timeout=30).text
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] += sample.value
    return found


def test_two_processes_answer_on_one_port(pair: Any) -> None:
    assert len(workers_of(pair)) == 2
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda _: detect(pair.url), range(40)))

    assert {one.status_code for one in responses} == {200}
    makers = {one.headers["x-request-id"].rpartition("-")[0] for one in responses}
    assert len(makers) == 2


def test_metrics_are_those_of_all_workers(pair: Any) -> None:
    # Each worker writes its counts a moment later, and only the one that is asked does it at once.
    time.sleep(1)
    before = counters(pair.url)
    for _ in range(12):
        assert detect(pair.url).status_code == 200

    wanted = before["maskdet_pictures_total"] + 12
    until(lambda: counters(pair.url)["maskdet_pictures_total"] == wanted)
    seen = [counters(pair.url) for _ in range(6)]

    assert {one["maskdet_pictures_total"] for one in seen} == {wanted}
    assert {one["maskdet_compliance_ratio"] for one in seen} == {1.0}
    assert seen[-1]["maskdet_ready"] == 1
    assert seen[-1]["maskdet_face_score_count"] == before["maskdet_face_score_count"] + 12


def test_reload_reaches_every_worker_before_it_answers(pair: Any, bundle: Path) -> None:
    for labels in (OTHER, LABELS):
        write_tiny_bundle(bundle.with_suffix(".new"), labels=labels).replace(bundle)
        name = sha256(bundle.read_bytes()).hexdigest()

        answer = httpx.post(f"{pair.url}/v1/admin/reload", timeout=60)
        found = [detect(pair.url) for _ in range(20)]

        assert answer.json() == {"models": [{"name": "tiny", "bundle": name, "outcome": "swapped"}]}
        assert {one.headers["x-maskdet-bundle"] for one in found} == {name[:12]}
        assert {one.json()["results"][0]["detections"][0]["label"] for one in found} == {labels[0]}


def test_bad_bundle_and_unknown_model_are_refused_by_all(pair: Any, bundle: Path) -> None:
    good = bundle.read_bytes()
    bundle.write_bytes(good[:500])
    try:
        refused = httpx.post(f"{pair.url}/v1/admin/reload", timeout=60)
        unknown = httpx.post(f"{pair.url}/v1/admin/reload?model=other", timeout=60)
    finally:
        bundle.write_bytes(good)

    assert (refused.status_code, unknown.status_code) == (409, 404)
    assert str(bundle.parent) not in refused.text
    assert {detect(pair.url).status_code for _ in range(6)} == {200}
    assert httpx.post(f"{pair.url}/v1/admin/reload", timeout=60).status_code == 200


def test_killed_worker_is_replaced_while_others_answer(pair: Any) -> None:
    before = workers_of(pair)
    victim = min(before)
    outcomes: Counter[str] = Counter()
    done = threading.Event()

    def ask() -> str:
        try:
            return str(detect(pair.url).status_code)
        except httpx.TransportError:
            return "cut off"

    def client() -> None:
        while not done.is_set():
            outcomes[ask()] += 1

    with ThreadPoolExecutor(3) as pool:
        clients = [pool.submit(client) for _ in range(3)]
        try:
            until(lambda: outcomes["200"] > 10)
            os.kill(victim, signal.SIGKILL)
            answered = outcomes["200"]
            until(lambda: outcomes["200"] > answered + 20)
            until(lambda: len(workers_of(pair) - {victim}) == 2)
        finally:
            done.set()
        for one in clients:
            one.result(60)

    # Only what the killed process had in hand is lost: at most one request of each client.
    assert set(outcomes) <= {"200", "cut off"}
    assert outcomes["cut off"] <= 3
    [new] = workers_of(pair) - before
    until(lambda: new in {int(line["pid"]) for line in pair.log() if line["message"] == "ready"})
    assert [line["worker"] for line in pair.log() if line["message"] == "worker ended"] == [victim]
    assert counters(pair.url)["maskdet_pictures_total"] >= outcomes["200"]


def test_server_is_not_ready_until_a_killed_worker_has_been_replaced(pair: Any) -> None:
    until(lambda: counters(pair.url)["maskdet_ready"] == 1)
    victim = psutil.Process(min(workers_of(pair)))
    victim.kill()
    until(lambda: len(workers_of(pair) - {victim.pid}) == 2)

    # The new one is still importing, long before it has metrics of its own.
    assert counters(pair.url)["maskdet_ready"] == 0
    until(lambda: counters(pair.url)["maskdet_ready"] == 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_answers_what_every_worker_accepted(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_server: Any, number: Any
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    statuses: Counter[str] = Counter()
    begun = threading.Event()

    def client(url: str) -> None:
        while True:
            try:
                response = detect(url)
            except httpx.ConnectError:
                return
            except httpx.TransportError as error:
                statuses[type(error).__name__] += 1
                return
            statuses[str(response.status_code)] += 1
            begun.set()

    with start_server(tiny_bundle, tmp_path, workers=2) as server, ThreadPoolExecutor(4) as pool:
        group = [server.process.pid, *workers_of(server)]
        clients = [pool.submit(client, server.url) for _ in range(4)]
        assert begun.wait(30)
        # Ctrl-C in a terminal goes to the supervisor alone; by another way it may reach every process.
        for pid in group if number == signal.SIGINT else group[:1]:
            os.kill(pid, number)
        assert server.process.wait(60) == 0
        for one in clients:
            one.result(60)
        assert not [pid for pid in group[1:] if psutil.pid_exists(pid)]
        accepted = [line for line in server.log() if line["message"] == "request"]

    assert statuses["200"] > 0
    assert Counter(str(line["status"]) for line in accepted)["200"] == statuses["200"]
    # Connections that were queued behind the last accept are reset; nothing on them was accepted.
    assert set(statuses) <= {"200", "503", "ReadError", "RemoteProtocolError"}


def test_status_and_stop_know_the_whole_tree(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_server: Any
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with start_server(tiny_bundle, tmp_path, workers=2) as server:
        workers = workers_of(server)
        [found] = status(server.port)

        stop(server.port)

        assert (found.ready, found.workers, found.record.pid) == (True, 2, server.process.pid)
        assert found.memory_bytes > 30e6
        assert server.process.wait(5) == 0
        assert not [pid for pid in workers if psutil.pid_exists(pid)]
        assert read_records(server.port) == []


def test_workers_end_when_their_supervisor_is_killed(
    tiny_bundle: Path, tmp_path: Path, start_server: Any
) -> None:
    with start_server(tiny_bundle, tmp_path, workers=2) as server:
        workers = workers_of(server)
        server.process.kill()
        server.process.wait()
        until(lambda: not [pid for pid in workers if psutil.pid_exists(pid)])


def test_bad_bundle_ends_the_start_with_its_own_error(tmp_path: Path, start_server: Any) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no model")
    with pytest.raises(AssertionError, match="cannot be loaded"), start_server(bad, tmp_path, workers=2):
        pass
    [log] = tmp_path.glob("server-*.log")
    assert str(bad) in log.read_text()


@pytest.mark.parametrize(
    ("cores", "workers", "threads", "shares"),
    [(2, 2, 0, [1, 1]), (8, 3, 0, [3, 3, 2]), (2, 4, 0, [1, 1, 1, 1]), (8, 2, 5, [5, 5])],
)
def test_cores_are_shared_out(
    monkeypatch: pytest.MonkeyPatch, cores: int, workers: int, threads: int, shares: list[int]
) -> None:
    monkeypatch.setattr("maskdet.serving.process.supervisor.core_count", lambda: cores)
    settings = ServeSettings(workers=workers, threads=threads)

    assert [cores_of(place, settings) for place in range(workers)] == shares


def test_bundle_error_keeps_its_class_and_exit_code(tmp_path: Path) -> None:
    error = failure({"kind": "BundleError", "what": "bad", "hint": "next"})

    assert (type(error), error.what, error.hint) == (BundleError, "bad", "next")
    assert failure({"kind": "os", "what": "x", "hint": ""}).exit_code == 10


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[float]]:
    """Makes the first starts fail as on a machine without a free process; returns when each was tried."""

    def fail(times: int) -> list[float]:
        tried: list[float] = []

        async def start(*_: object) -> WorkerProcess:
            tried.append(time.monotonic())
            if len(tried) <= times:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            raise SupervisorEnds

        monkeypatch.setattr(WorkerProcess, "start", start)
        return tried

    return fail


class SupervisorEnds(Exception):
    """Ends the test once a start was tried again."""


def supervisor(tmp_path: Path, *, all_ready: bool) -> Supervisor:
    with socket.socket() as listener:
        made = Supervisor({}, ServeSettings(workers=2), listener, lambda _: None, tmp_path)
    made._all_ready = all_ready
    return made


def test_a_worker_that_cannot_be_replaced_at_once_is_tried_again(
    no_process: Callable[[int], list[float]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tried = no_process(3)
    with pytest.raises(SupervisorEnds):
        asyncio.run(supervisor(tmp_path, all_ready=True)._keep(0))
    waited = [after - before for before, after in pairwise(tried)]
    assert len(waited) == 3
    assert all(longer > shorter for shorter, longer in pairwise(waited))
    assert [record.message for record in caplog.records] == ["worker not started"] * 3


def test_a_server_whose_first_workers_cannot_start_says_why(
    no_process: Callable[[int], list[float]], tmp_path: Path
) -> None:
    no_process(3)
    with pytest.raises(BlockingIOError, match="temporarily unavailable"):
        asyncio.run(supervisor(tmp_path, all_ready=False)._keep(0))
