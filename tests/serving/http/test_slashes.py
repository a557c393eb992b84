"""A slash too many or too few, asked for on raw sockets, with a host of the client's choice."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urljoin

import cv2
import httpx
import pytest
from support import paint

PICTURE = cv2.imencode(".png", paint({(1, 2): "with_mask"})[:, :, ::-1])[1].tobytes()
PREFIX = "/masks/eu"


@pytest.fixture(scope="module")
def port(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory, start_server: Any) -> Iterator[int]:
    with start_server(tiny_bundle, tmp_path_factory.mktemp("runtime")) as server:
        yield server.port


def answer(port: int, line: str, host: str = "evil.example") -> tuple[int, dict[str, str]]:
    """Status and headers."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        head = f"{line} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: {host}\r\nContent-Length: 0\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode("latin-1"))
        received = b""
        while part := connection.recv(1 << 16):
            received += part
    status, *headers = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return int(status.split()[1]), {name: text for name, _, text in (one.partition(": ") for one in headers)}


@pytest.mark.parametrize(
    ("asked", "location", "meant"),
    [
        ("POST /api", "api/", "/api/"),
        ("POST /v1/detect/", "../detect", "/v1/detect"),
        ("GET /v1/detect/", "../detect", "/v1/detect"),
        ("POST /v1/detect/?x=//y&z=%2f", "../detect?x=//y&z=%2f", "/v1/detect?x=//y&z=%2f"),
        ("POST /infer/", "../infer", "/infer"),
        ("POST /object-detection/", "../object-detection", "/object-detection"),
        ("GET /review/", "../review", "/review"),
        ("POST /predict/https:a%3Fb/", "../https%3Aa%3Fb", "/predict/https%3Aa%3Fb"),
        (
            "POST /predict/%0d%0aSet-Cookie:%20x=y/",
            "../%0D%0ASet-Cookie%3A%20x%3Dy",
            "/predict/%0D%0ASet-Cookie%3A%20x%3Dy",
        ),
    ],
)
def test_the_way_to_the_route_names_no_host(
    port: int, asked: str, location: str | None, meant: str | None
) -> None:
    status, headers = answer(port, asked)
    path = asked.partition(" ")[2]
    assert status == 307
    assert headers["location"] == location
    assert "evil" not in str(headers)
    assert "set-cookie" not in headers
    for before in ("https://name.example", "https://name.example/below"):
        assert urljoin(f"{before}{path}", location) == f"{before}{meant}"


@pytest.mark.parametrize("path", ["/", "/nothing/", "//evil.example/", "//v1/detect/", "/v1/detect//", "/./"])
def test_other_paths_lead_nowhere(port: int, path: str) -> None:
    status, headers = answer(port, f"GET {path}")
    assert status == (200 if path == "/" else 404)
    assert "location" not in headers


def test_a_post_arrives_where_it_was_meant_through_a_proxy_with_a_path(port: int) -> None:
    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            url = f"http://127.0.0.1:{port}{self.path.removeprefix(PREFIX)}"
            got = httpx.post(url, content=body, headers={"content-type": self.headers["content-type"]})
            self.send_response(got.status_code)
            for name in {"location", "content-type"} & set(got.headers):
                self.send_header(name, got.headers[name])
            self.send_header("content-length", str(len(got.content)))
            self.end_headers()
            self.wfile.write(got.content)

        def log_message(self, *_: object) -> None:
            """Not into the tests' output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        Thread(target=proxy.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{proxy.server_port}{PREFIX}/v1/detect/"
        got = httpx.post(url, content=PICTURE, headers={"content-type": "image/png"}, follow_redirects=True)
        proxy.shutdown()
    assert got.url.path == f"{PREFIX}/v1/detect"
    assert got.json()["results"][0]["detections"][0]["label"] == "with_mask"


def test_a_client_of_the_flask_demo_that_leaves_out_the_slash_is_answered(port: int) -> None:
    body = {"image": base64.b64encode(PICTURE).decode()}
    got = httpx.post(f"http://127.0.0.1:{port}/api", json=body, follow_redirects=True)
    assert [one["name"] for one in got.json()["results"]] == ["with_mask"]
