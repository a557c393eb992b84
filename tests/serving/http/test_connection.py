"""Bytes around requests: refused ones are answered and listened to for a while, many ones take turns."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest
from support import paint

from maskdet.serving.http.connection import (
    FREE_CHUNKS,
    LINGER_BYTES,
    LINGER_SECONDS,
    MAX_HEADERS,
    MAX_QUERY_FIELDS,
)

GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
PICTURE = cv2.imencode(".png", paint({(1, 2): "with_mask"})[:, :, ::-1])[1].tobytes()
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n"
OFFERED = POST + OFFER + b"Content-Length: %d\r\n\r\n"
CHUNKED_PICTURE = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PICTURE), PICTURE)
LAST = GET + b"Connection: close\r\n\r\n"
CHUNKED = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def port(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory, start_server: Any) -> Iterator[int]:
    settings = {"max_header_bytes": 8192, "header_seconds": 1}
    with start_server(tiny_bundle, tmp_path_factory.mktemp("runtime"), **settings) as server:
        yield server.port
        assert server.end() == 0
        assert [line for line in server.log() if "traceback" in line] == []


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(1 << 16):
        received += part
    return received


def talk(port: int, data: bytes) -> bytes:
    with connected(port) as connection:
        connection.sendall(data)
        return read_all(connection)


def test_the_head_and_the_body_of_an_answer_arrive_together(port: int) -> None:
    with connected(port) as connection:
        for _ in range(200):
            connection.sendall(GET + b"\r\n")
            head, _, body = connection.recv(1 << 16).partition(b"\r\n\r\n")
            assert json.loads(body), head


def send_slowly(connection: socket.socket, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection.sendall(b"z")
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (GET + b"X: " + b"y" * 100_000, 431, "headers_too_large"),
        (b"GET /" + b"y" * 100_000, 431, "headers_too_large"),
        (b"no HTTP at all\r\n\r\n", 400, "malformed_request"),
        (GET + b"a:b\r\n" * (MAX_HEADERS + 1) + b"\r\n", 431, "headers_too_large"),
        (b"GET /?" + b"a&" * MAX_QUERY_FIELDS + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431, "headers_too_large"),
        (CHUNKED + b"1\r\nx\r\n" * (FREE_CHUNKS + 200), 400, "chunks_too_small"),
    ],
)
def test_refused_client_that_goes_on_sending_reads_its_answer(
    port: int, head: bytes, status: int, code: str
) -> None:
    for _ in range(5):
        with connected(port) as connection:
            connection.sendall(head)
            # The refusal is on its way by now: what follows meets a connection that is closed on one side.
            for _ in range(20):
                connection.sendall(b"z" * 50_000)
                time.sleep(0.002)
            answer = read_all(connection)

        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == code


def test_client_of_a_408_that_goes_on_sending_reads_it(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"POST /v1/de")
        time.sleep(1.3)
        connection.sendall(b"tect HTTP/1.1\r\n" + b"z" * 100_000)
        answer = read_all(connection)

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_lingering_ends_by_time(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"no HTTP\r\n\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 400 ")
        # The answer has an end, so it was read at once; the server's side of the connection is still there.
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            send_slowly(connection, LINGER_SECONDS + 20)


def test_lingering_ends_by_bytes(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"no HTTP\r\n\r\n")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            connection.sendall(b"z" * 100 * LINGER_BYTES)


def test_as_many_headers_and_query_fields_as_allowed_are_read(port: int) -> None:
    headers = b"".join(b"x-%d: y\r\n" % number for number in range(MAX_HEADERS - 2))
    query = b"a&" * (MAX_QUERY_FIELDS - 1)
    head = b"GET /health/live?" + query + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers

    assert talk(port, head + b"\r\n").startswith(b"HTTP/1.1 200 ")


def test_many_requests_at_once_are_answered_in_turn(port: int) -> None:
    count = 3000
    asked = b"".join(GET + b"X-Request-ID: r%d\r\n\r\n" % number for number in range(count - 1))

    answer = talk(port, asked + GET + b"X-Request-ID: r%d\r\nConnection: close\r\n\r\n" % (count - 1))

    assert answer.count(b"HTTP/1.1 200 ") == count
    ids = [line.partition(b": ")[2] for line in answer.split(b"\r\n") if line.startswith(b"x-request-id")]
    assert ids == [b"r%d" % number for number in range(count)]


def test_request_behind_an_answered_one_may_come_in_pieces(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(GET + b"\r\n" + GET[:20])
        time.sleep(0.2)
        connection.sendall(GET[20:] + b"Connection: close\r\n\r\n")

        assert read_all(connection).count(b"HTTP/1.1 200 ") == 2


def test_chunks_of_any_length_make_one_body(port: int) -> None:
    small = CHUNKED + b"1\r\nx\r\n" * (FREE_CHUNKS // 2)
    middling = b"14\r\n" + b"x" * 20 + b"\r\n"

    answer = talk(port, small + middling * 20_000 + b"0\r\n\r\n")

    # All of it was read: it is no picture.
    assert answer.startswith(b"HTTP/1.1 422 ")


def test_trailers_are_no_headers(port: int) -> None:
    trailer = b"X-Request-ID: of-the-trailer\r\n"
    body = CHUNKED_PICTURE.removesuffix(b"\r\n")

    answer = talk(port, CHUNKED + body + trailer + b"\r\n")
    refused = talk(port, CHUNKED + body + trailer * MAX_HEADERS + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"of-the-trailer" not in answer
    assert refused.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (OFFERED % len(PICTURE), PICTURE),
        (POST + OFFER + b"Transfer-Encoding: chunked\r\n\r\n", CHUNKED_PICTURE),
        (OFFERED.replace(b"h2c", b"websocket") % len(PICTURE), PICTURE),
    ],
)
@pytest.mark.parametrize("pause", [0, 0.2])
def test_body_behind_an_offer_of_another_protocol_is_read(
    port: int, head: bytes, body: bytes, pause: float
) -> None:
    with connected(port) as connection:
        for data in (head, body + OFFERED % len(PICTURE) + PICTURE, LAST):
            connection.sendall(data)
            time.sleep(pause)
        answer = read_all(connection)

    assert answer.count(b"HTTP/1.1 200 ") == 3
    assert answer.count(b'"label":"with_mask"') == 2


def test_offer_in_the_last_request_ends_as_it_says(port: int) -> None:
    head = GET + OFFER.replace(b"Upgrade, ", b"close, Upgrade, ", 1)

    assert talk(port, head + b"\r\n" + GET + b"\r\n").count(b"HTTP/1.1 200 ") == 1
    assert talk(port, (head + b"\r\n").replace(b"1.1", b"1.0")).count(b"HTTP/1.1 200 ") == 1


def test_offer_frees_no_head_from_its_limits(port: int) -> None:
    many = b"x: y\r\n" * MAX_HEADERS

    assert talk(port, GET + OFFER + many + b"\r\n").startswith(b"HTTP/1.1 431 ")


def test_what_a_connection_refuses_is_in_the_log_and_the_metrics(server_process: Any) -> None:
    server = server_process(header_seconds=0.3)
    refused = {
        "malformed_request": (400, b"no HTTP at all\r\n\r\n"),
        "headers_too_large": (431, GET + b"X: " + b"y" * 100_000),
        "slow_headers": (408, b"POST /v1/de"),
        "chunks_too_small": (400, CHUNKED + b"1\r\nx\r\n" * (FREE_CHUNKS + 200)),
    }

    for status, data in refused.values():
        assert talk(server.port, data).startswith(b"HTTP/1.1 %d " % status)
    metrics = httpx.get(f"{server.url}/metrics").text
    server.end()

    lines = [line for line in server.log() if line["message"] == "request" and "error" in line]
    assert {line["error"]: line["status"] for line in lines} == {
        code: status for code, (status, _) in refused.items()
    }
    assert len(lines) == len(refused) == len({line["request_id"] for line in lines})
    assert {line["client"] for line in lines} == {"127.0.0.1"}
    for code in refused:
        assert f'maskdet_refusals_total{{code="{code}"}} 1.0' in metrics
