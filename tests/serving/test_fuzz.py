"""A short run of the fuzzer, always with the same requests, against a real server process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from fuzz.fuzzer import Fuzzer, fuzz
from fuzz.shot import judged
from fuzz.target import fill


def test_whatever_comes_is_answered_in_good_form(server_process: Callable[..., Any], tmp_path: Path) -> None:
    names = fill(tmp_path / "inbox")
    server = server_process(body_seconds=1, header_seconds=1, inbox=str(tmp_path / "inbox"))

    statuses, faults = fuzz(server.port, "tiny", count=600, seed=5, seconds=60, names=names)

    assert faults == []
    assert sum(statuses.values()) == 600
    # Good requests are among them, and all kinds of refusals: else the fuzzer itself would be broken.
    assert {200, 400, 404, 405, 408, 409, 415, 422, 431} <= set(statuses)
    assert httpx.get(f"{server.url}/health/ready").status_code == 200
    assert server.end() == 0
    assert [line for line in server.log() if "traceback" in line] == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n\r\n{}", ""),
        (b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\r\n{}", ""),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}", "status 503"),
        (b"HTTP/1.1 500 Internal Server Error\r\n\r\n{}", "status 500"),
        (b'HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\n\r\n"Traceback (most', "leaks"),
        (b"garbage", "no HTTP"),
        (b"", ""),
    ],
)
def test_the_fuzzer_knows_a_bad_answer(answer: bytes, fault: str) -> None:
    said = judged(answer)[1]
    assert bool(said) is bool(fault)
    assert said.startswith(fault)


def test_one_seed_gives_the_same_requests() -> None:
    first, again, other = (list(Fuzzer(seed, "m").shots(50)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
