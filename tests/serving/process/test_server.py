"""The real server process: start, stop, full, slow, gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import psutil
import pytest
import uvicorn
from support import LABELS, cell_box, paint
from uvicorn.server import ServerState
from waiting import PATIENCE_SECONDS, until

import maskdet
from maskdet.errors import ServingError
from maskdet.serving.engine.ledger import Ledger
from maskdet.serving.engine.metrics import Metrics
from maskdet.serving.http.access import RefusalLog
from maskdet.serving.http.connection import guarded
from maskdet.serving.process.control import status, stop
from maskdet.serving.process.listener import listen
from maskdet.serving.process.records import ServerRecord, read_records, write_record
from maskdet.serving.settings import ServeSettings
from maskdet.system.process_start import process_start

PNG = {"content-type": "image/png"}
POST = b"POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"


def encoded(cells: dict[tuple[int, int], str], height: int = 256, width: int = 256) -> bytes:
    done, data = cv2.imencode(".png", paint(cells, height, width)[:, :, ::-1])
    assert done
    return data.tobytes()


MASKED = encoded({(1, 2): "with_mask"})


@pytest.fixture(scope="module")
def plain(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory, start_server: Any) -> Iterator[Any]:
    """One server with the default settings, for tests that do not stop it."""
    with start_server(tiny_bundle, tmp_path_factory.mktemp("runtime")) as server:
        yield server


def talk(port: int, data: bytes, seconds: float = 30) -> bytes:
    """Send raw bytes and read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(data)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def test_server_answers_logs_and_ends_with_success(server_process: Callable[..., Any]) -> None:
    server = server_process()

    answer = httpx.post(f"{server.url}/v1/detect", content=MASKED, headers={**PNG, "x-request-id": "r1"})
    other = f"{server.url}/v1/detect?threshold=0.4"
    httpx.post(other, content=MASKED, headers={**PNG, "x-request-id": "r2"})
    ready = httpx.get(f"{server.url}/health/ready")

    assert answer.json()["results"][0]["detections"][0]["label"] == "with_mask"
    assert ready.status_code == 200
    assert "server" not in answer.headers
    assert server.end() == 0
    [line] = [line for line in server.log() if line.get("request_id") == "r1"]
    assert (line["status"], line["path"], line["verdicts"]) == (200, "/v1/detect", ["ok"])
    assert line["threshold_policy"] == "unknown"
    [line] = [line for line in server.log() if line.get("request_id") == "r2"]
    assert line["threshold_policy"] == "override"
    assert read_records(server.port) == []


def wait_for_queue(server: Any, pictures: int) -> None:
    """Until so many accepted pictures wait behind the one that is worked on."""
    line = f"maskdet_queue_pictures {float(pictures)}"
    until(lambda: line in httpx.get(f"{server.url}/metrics").text)


def passes(server: Any) -> float:
    """Passes through the model that have begun."""
    [line] = [
        line
        for line in httpx.get(f"{server.url}/metrics").text.splitlines()
        if line.startswith("maskdet_batch_pictures_count")
    ]
    return float(line.split()[-1])


def occupy(server: Any, pool: ThreadPoolExecutor) -> list[Future[httpx.Response]]:
    """Send two pictures: the only thread works on the first, and the second waits."""
    before = passes(server)
    first = pool.submit(detect, server)
    until(lambda: passes(server) > before)
    second = pool.submit(detect, server)
    wait_for_queue(server, 1)
    return [first, second]


def wait_for_drain(server: Any) -> None:
    until(lambda: httpx.get(f"{server.url}/health/ready").status_code == 503)


def detect(server: Any) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/detect", content=MASKED, headers=PNG, timeout=30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stop_under_load_answers_everything_accepted(
    server_process: Callable[..., Any], number: signal.Signals
) -> None:
    server = server_process(slow_ms=60, threads=1)
    outcomes: Counter[str] = Counter()

    def client() -> None:
        with httpx.Client(timeout=30) as session:
            while True:
                try:
                    response = session.post(f"{server.url}/v1/detect", content=MASKED, headers=PNG)
                except httpx.ConnectError:
                    return
                except httpx.TransportError as error:
                    outcomes[type(error).__name__] += 1
                    return
                outcomes[f"{response.status_code}"] += 1
                if response.status_code != 200:
                    assert response.json()["error"]["code"] == "draining"
                    time.sleep(0.01)

    with ThreadPoolExecutor(6) as pool:
        clients = [pool.submit(client) for _ in range(6)]
        until(lambda: outcomes["200"] >= 1)
        wait_for_queue(server, 5)
        server.process.send_signal(number)
        assert server.process.wait(30) == 0
        for one in clients:
            one.result(30)

    assert outcomes["200"] >= 6
    # A keep-alive connection that the server closes as the client writes to it is the client's to retry.
    assert set(outcomes) <= {"200", "503", "RemoteProtocolError", "ReadError"}
    lines = [line for line in server.log() if line["message"] == "request" and line["path"] == "/v1/detect"]
    assert Counter(str(line["status"]) for line in lines)["200"] == outcomes["200"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_in_the_background_ends_by_sigterm_only(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_server: Any, workers: int
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    background = ["sh", "-c", 'trap "" INT HUP; exec "$@"', "sh"]
    with start_server(tiny_bundle, tmp_path, before=background, workers=workers) as server:
        for number in (signal.SIGINT, signal.SIGHUP):
            server.process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(1)
        assert httpx.post(f"{server.url}/v1/detect", content=MASKED, headers=PNG).status_code == 200
        assert server.end() == 0


def test_draining_server_says_so_while_it_still_works(server_process: Callable[..., Any]) -> None:
    server = server_process(slow_ms=1500, threads=1)
    with ThreadPoolExecutor(2) as pool:
        accepted = occupy(server, pool)
        server.process.send_signal(signal.SIGTERM)
        wait_for_drain(server)
        ready = httpx.get(f"{server.url}/health/ready")
        live = httpx.get(f"{server.url}/health/live")
        refused = detect(server)

        assert (ready.status_code, live.status_code, refused.status_code) == (503, 200, 503)
        assert "retry-after" in refused.headers
        assert [one.result().status_code for one in accepted] == [200, 200]
    assert server.process.wait(30) == 0


def test_second_signal_ends_at_once(server_process: Callable[..., Any]) -> None:
    server = server_process(slow_ms=3000, threads=1, drain_seconds=3)
    with ThreadPoolExecutor(2) as pool:
        pending = occupy(server, pool)
        server.process.send_signal(signal.SIGTERM)
        wait_for_drain(server)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0
        for one in pending:
            with contextlib.suppress(httpx.TransportError):
                assert one.result(30).status_code == 500


@pytest.mark.parametrize("workers", [1, 2])
def test_terminal_that_closes_breaks_no_request(server_process: Callable[..., Any], workers: int) -> None:
    """Both the shell and the system send SIGHUP then."""
    server = server_process(slow_ms=1500, threads=1, workers=workers)
    with ThreadPoolExecutor(2) as pool:
        accepted = occupy(server, pool) if workers == 1 else [pool.submit(detect, server)]
        time.sleep(0.5)
        for _ in range(2):
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
        assert [one.result().status_code for one in accepted] == [200] * len(accepted)
    assert server.process.wait(30) == 0


def test_status_and_stop_find_the_server_by_its_port(server_process: Callable[..., Any]) -> None:
    server = server_process()

    [found] = status(server.port)
    [stopped] = stop(server.port)

    assert (found.record.pid, found.record.url, found.ready) == (server.process.pid, server.url, True)
    assert stopped == found.record
    assert server.process.wait(5) == 0
    with pytest.raises(ServingError, match="no server of yours is running on port"):
        stop(server.port)
    with pytest.raises(ServingError, match="no server of yours"):
        status(server.port)


def test_status_and_stop_find_all_servers_of_a_port(server_process: Callable[..., Any]) -> None:
    first = server_process()
    second = server_process(host="127.0.0.2", port=first.port)

    found, stopped = status(first.port), stop(first.port)

    assert {one.record.url for one in found} == {first.url, second.url}
    assert {one.pid for one in stopped} == {first.process.pid, second.process.pid}
    assert (first.process.wait(5), second.process.wait(5)) == (0, 0)
    assert read_records(first.port) == []


def test_stop_says_when_the_server_has_not_ended_in_time(server_process: Callable[..., Any]) -> None:
    server = server_process(slow_ms=2000, threads=1)
    with ThreadPoolExecutor(2) as pool:
        accepted = occupy(server, pool)
        with pytest.raises(ServingError, match=r"has not ended within 0\.1 s"):
            stop(server.port, timeout_seconds=0.1)
        assert len(read_records(server.port)) == 1
        assert [one.result().status_code for one in accepted] == [200, 200]


def test_killed_server_is_reported_and_forgotten(server_process: Callable[..., Any]) -> None:
    server = server_process()
    server.process.kill()
    server.process.wait()

    with pytest.raises(ServingError, match="has ended without being stopped"):
        stop(server.port)
    assert read_records(server.port) == []


def test_stop_spares_a_process_that_only_has_the_pid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        earlier = process_start(os.getpid())
        assert earlier != process_start(bystander.pid)
        write_record(ServerRecord(bystander.pid, earlier, 1, "http://127.0.0.1:1"))
        with pytest.raises(ServingError, match="has ended"):
            stop(1)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="folder modes are POSIX")
def test_record_folder_that_others_can_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "maskdet").mkdir()
    (tmp_path / "maskdet").chmod(0o777)

    with pytest.raises(ServingError, match="not a private folder"):
        read_records(8866)


def test_taken_port_is_named_with_the_way_out(server_process: Callable[..., Any], tiny_bundle: Path) -> None:
    server = server_process()
    script = Path(__file__).parents[1] / "server_process.py"

    second = subprocess.run(
        [sys.executable, script, tiny_bundle, json.dumps({"port": server.port}), "0"],
        env={**os.environ, "PYTHONPATH": str(Path(maskdet.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert second.returncode == ServingError.exit_code
    assert f"port {server.port} of 127.0.0.1 is in use" in second.stderr
    assert "Traceback" not in second.stderr
    assert f"maskdet stop --port {server.port}" in second.stderr
    assert httpx.get(f"{server.url}/health/ready").status_code == 200


def test_small_answers_do_not_wait_for_acknowledgements() -> None:
    async def nodelay() -> int:
        loop = asyncio.get_running_loop()
        config, state = uvicorn.Config(lambda *_: None, log_config=None), ServerState()
        connection = guarded(ServeSettings(), RefusalLog(Metrics(), Ledger()))
        made = []

        def make() -> asyncio.Protocol:
            made.append(connection(config=config, server_state=state, app_state={}))
            return made[0]

        with listen("127.0.0.1", 0) as listener:
            server = await loop.create_server(make, sock=listener)
            _, writer = await asyncio.open_connection(*listener.getsockname())
            while not made or made[0].transport is None:
                await asyncio.sleep(0.01)
            option = (
                made[0].transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            )
            writer.close()
            await writer.wait_closed()
            server.close()
            await server.wait_closed()
        return option

    assert asyncio.run(nodelay())


def test_foreign_address_is_refused_with_a_hint() -> None:
    with pytest.raises(ServingError, match=r"cannot listen on 203\.0\.113\.1") as refused:
        listen("203.0.113.1", 0)
    assert "127.0.0.1" in refused.value.hint


def test_endless_chunked_body_is_cut_off_and_answered(server_process: Callable[..., Any]) -> None:
    server = server_process(max_upload_bytes=100_000)
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"4000\r\n" + bytes(0x4000) + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head)
        sent = 0
        try:
            while sent < 100_000_000:
                connection.sendall(chunk)
                sent += 0x4000
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert 100_000 < sent < 10_000_000
    assert httpx.get(f"{server.url}/health/live").status_code == 200


def test_client_that_sends_too_much_still_reads_its_413(server_process: Callable[..., Any]) -> None:
    server = server_process(max_upload_bytes=8_000_000)
    chunk = b"7a120\r\n" + bytes(500_000) + b"\r\n"

    declared = talk(server.port, POST + b"Content-Length: 14000000\r\n\r\n" + bytes(14_000_000))
    streamed = talk(server.port, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 28 + b"0\r\n\r\n")

    for answer in (declared, streamed):
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 413 " in head.splitlines()[0]
        assert b"connection: close" in head
        assert json.loads(body)["error"]["code"] == "body_too_large"


def test_slow_body_and_slow_headers_are_answered_with_408(server_process: Callable[..., Any]) -> None:
    server = server_process(body_seconds=0.3, header_seconds=0.3)

    body = talk(
        server.port,
        POST + b"Content-Length: 99\r\n\r\nfew",
    )
    headers = talk(server.port, b"POST /v1/detect HTTP/1.1\r\nHo")
    silence = talk(server.port, b"")

    assert b" 408 " in body.splitlines()[0]
    assert b'"slow_body"' in body
    for answer in (headers, silence):
        assert b" 408 " in answer.splitlines()[0]
        assert b'"slow_headers"' in answer


def test_slow_client_does_not_hold_up_others(plain: Any) -> None:
    with socket.create_connection(("127.0.0.1", plain.port)) as slow:
        slow.sendall(POST + b"Content-Length: 9\r\n\r\n")
        assert httpx.post(f"{plain.url}/v1/detect", content=MASKED, headers=PNG).status_code == 200


def test_half_closed_and_vanished_clients_leave_a_working_server(server_process: Callable[..., Any]) -> None:
    server = server_process()
    head = POST + b"Content-Length: 99\r\n\r\nfew"
    for how in (socket.SHUT_WR, socket.SHUT_RDWR):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(head)
            connection.shutdown(how)

    assert httpx.post(f"{server.url}/v1/detect", content=MASKED, headers=PNG).status_code == 200
    assert server.end() == 0
    assert [line for line in server.log() if "traceback" in line] == []


PIXELS = np.random.default_rng(0).integers(0, 256, (2500, 2500, 3), np.uint8)
NOISE = cv2.imencode(".jpg", PIXELS)[1].tobytes()
"""Drawn, it is an answer of 7 MB. A system takes at most 4 from a server."""


def ask_for_noise(client: socket.socket, server: Any, header: bytes = b"") -> None:
    """Ask for a long answer over a connection that takes little at a time."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    client.settimeout(PATIENCE_SECONDS)
    head = b"POST /v1/detect?visualize=1 HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n" + header
    client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(NOISE) + NOISE)


def length_of(answer_head: bytes) -> int:
    size = re.search(rb"content-length: (\d+)", answer_head)
    assert size is not None
    return int(size[1])


@pytest.mark.parametrize(
    ("header", "more"),
    [
        (b"", b""),
        (b"Connection: close\r\n", b""),
        (b"", b"GET /hea"),
        (b"", b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"),
    ],
)
def test_client_that_does_not_read_its_answers_is_cut_off(
    server_process: Callable[..., Any], header: bytes, more: bytes
) -> None:
    server = server_process(keep_alive_seconds=1, header_seconds=1)
    process = psutil.Process(server.process.pid)

    def connected() -> bool:
        return any(one.laddr.port == server.port and one.raddr for one in process.net_connections())

    with socket.socket() as lazy:
        ask_for_noise(lazy, server, header)
        until(connected, what="the connection was not accepted")
        until(lambda: "request" in [line["message"] for line in server.log()], what="no answer was begun")
        lazy.sendall(more)
        until(lambda: not connected(), what="a client that does not read keeps its connection")
        # Cut off, not closed, which waits until the client has read: only what the system had taken arrives.
        head, _, answer = read_all(lazy).partition(b"\r\n\r\n")
    assert len(answer) < length_of(head)


@pytest.mark.parametrize("header", [b"", b"Connection: close\r\n"])
def test_client_that_reads_slowly_gets_all_of_its_answer(
    server_process: Callable[..., Any], header: bytes
) -> None:
    server = server_process(keep_alive_seconds=1)
    received = b""
    with socket.socket() as slow:
        ask_for_noise(slow, server, header)
        # Less than what a system takes from the server at a time.
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            received += slow.recv(4096)
            time.sleep(0.1)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        head, _, answer = (received + read_all(slow)).partition(b"\r\n\r\n")
    assert len(answer) == length_of(head)


def test_work_of_a_client_that_left_is_given_up(server_process: Callable[..., Any]) -> None:
    server = server_process(slow_ms=300, threads=1)
    request = (POST + b"Content-Length: %d\r\n\r\n" % len(MASKED)) + MASKED
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(request)
            time.sleep(0.02)

    assert httpx.post(f"{server.url}/v1/detect", content=MASKED, headers=PNG).status_code == 200
    assert server.end() == 0
    statuses = Counter(line["status"] for line in server.log() if line["message"] == "request")
    assert statuses[499] >= 8


@pytest.mark.parametrize(
    ("noise", "status", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b" 400 ", b'"malformed_request"'),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b" 400 ", b'"malformed_request"'),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b" 400 ", b'"malformed_request"'),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", b" 431 ", b'"headers_too_large"'),
        (b"GET / HTTP/1.1\r\n" + b"x: yyyyyyyyyyyy\r\n" * 5_000 + b"\r\n", b" 431 ", b'"headers_too_large"'),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000, b" 431 ", b'"headers_too_large"'),
        (b"GET /" + b"y" * 100_000, b" 431 ", b'"headers_too_large"'),
    ],
    ids=["tls", "negative length", "bad chunk", "long header", "many headers", "endless header", "long path"],
)
def test_bytes_that_are_no_http_get_a_4xx(plain: Any, noise: bytes, status: bytes, code: bytes) -> None:
    answer = talk(plain.port, noise)

    assert status in answer.splitlines()[0]
    assert code in answer
    assert httpx.get(f"{plain.url}/health/live").status_code == 200
    assert [line for line in plain.log() if "traceback" in line] == []


def test_connections_over_the_cap_are_closed(server_process: Callable[..., Any]) -> None:
    server = server_process(max_connections=3)
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
    try:
        assert talk(server.port, b"") == b""
    finally:
        for connection in held:
            connection.close()


def test_full_server_says_503_with_retry_after(server_process: Callable[..., Any]) -> None:
    server = server_process(slow_ms=400, threads=1, max_queue=1, max_files=1)

    def post(_: int) -> httpx.Response:
        return httpx.post(f"{server.url}/v1/detect", content=MASKED, headers=PNG, timeout=30)

    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(post, range(8)))

    statuses = Counter(response.status_code for response in responses)
    assert set(statuses) == {200, 503}
    assert all("retry-after" in one.headers for one in responses if one.status_code == 503)


def test_two_clients_over_http_never_get_each_others_answer(plain: Any) -> None:
    def client(number: int) -> int:
        height, width = (160, 256) if number % 2 else (256, 192)
        label, cell = LABELS[number % 2], (1 + 3 * (number % 2), 5)
        body, box = encoded({cell: label}, height, width), cell_box(*cell, height, width)
        until, answers = time.monotonic() + 2, 0
        with httpx.Client(timeout=30) as session:
            while time.monotonic() < until:
                identity = f"client-{number}-{answers}"
                response = session.post(
                    f"{plain.url}/v1/detect", content=body, headers={**PNG, "x-request-id": identity}
                ).json()
                [entry] = response["results"]
                [face] = entry["detections"]
                assert (face["label"], entry["height"], entry["width"]) == (label, height, width)
                assert face["box"] == pytest.approx(box, abs=0.01)
                assert response["request_id"] == identity
                answers += 1
        return answers

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(client, range(4))) > 100
