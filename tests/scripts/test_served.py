"""A server for the length of a block: awaited, and ended whatever happens."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest

import served

STAND_IN = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()

port = int(sys.argv[-1].partition("=")[2])
HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small HTTP server in place of `maskdet serve`, which has tests of its own."""
    monkeypatch.setattr(served, "MASKDET", (sys.executable, "-c", STAND_IN))


def test_the_server_answers_within_the_block_and_is_gone_after_it(tmp_path: Path) -> None:
    with served.server(tmp_path / "serve.log") as address:
        assert served.is_ready(address)
    with pytest.raises(httpx.ConnectError):
        httpx.get(address, trust_env=False)


def test_the_server_is_gone_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), served.server(tmp_path / "serve.log") as address:
        _ = 1 / 0
    assert not served.is_ready(address)


def test_a_server_that_ends_at_once_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "MASKDET", (sys.executable, "-c", "import sys; sys.exit('no model')"))
    with (
        pytest.raises(served.ServedError, match="exit code 1:\nno model"),
        served.server(tmp_path / "serve.log"),
    ):
        pass
