"""The nginx example with the real nginx: what it passes on, what it refuses, and what it sends again."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import httpx
import pytest
from support import paint
from trained import REPO
from waiting import until

from maskdet.serving.settings import ServeSettings

PICTURE = cv2.imencode(".png", paint({(1, 2): "with_mask"})[:, :, ::-1])[1].tobytes()
SETTINGS = ServeSettings()
CHANGES_SOMETHING = ("/v1/corrections", "/v1/review/", "/v1/admin/")


@pytest.fixture(scope="module")
def proxy(proxied: ModuleType, server_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The example before one server; the two others are down."""
    down = [proxied.free_port() for _ in range(2)]
    with proxied.nginx(tmp_path_factory.mktemp("proxy") / "nginx", [*down, server_port]) as running:
        yield running


def client(proxy: Any) -> httpx.Client:
    return httpx.Client(base_url=f"https://localhost:{proxy.port}", verify=proxy.trust, trust_env=False)


def logged(proxy: Any, request_id: str) -> Any:
    """The line of a request, which nginx writes after its answer."""
    [line] = until(
        lambda: [line for line in proxy.log() if line["request_id"] == request_id],
        what=f"{request_id} is not logged",
    )
    return line


def test_a_detection_reaches_the_server_that_is_up(proxy: Any) -> None:
    with client(proxy) as http:
        answer = http.post(
            "/v1/detect", content=PICTURE, headers={"content-type": "image/png", "x-request-id": "gate-7"}
        )

    assert answer.json()["results"][0]["detections"][0]["label"] == "with_mask"
    assert answer.json()["request_id"] == "gate-7"
    assert answer.headers["x-maskdet-bundle"]
    assert logged(proxy, "gate-7")["upstream_statuses"].split(", ")[-1] == "200"


class NamingHost(BaseHTTPRequestHandler):
    """Answers with the host that it was asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers["host"].encode())


def test_the_server_is_told_the_port_of_a_page_too(proxied: ModuleType, tmp_path: Path) -> None:
    """Without it, a page on another port than 443 would look like a page of another server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), NamingHost) as naming:
        threading.Thread(target=naming.serve_forever, daemon=True).start()
        ports = [naming.server_port, proxied.free_port(), proxied.free_port()]
        with proxied.nginx(tmp_path / "nginx", ports) as running, client(running) as http:
            assert http.get("/v1/models").text == f"localhost:{running.port}"
        naming.shutdown()


def test_a_request_id_that_could_break_the_log_is_replaced(proxy: Any) -> None:
    with client(proxy) as http:
        answer = http.get("/health/ready", headers={"x-request-id": 'a"b'})
    assert answer.status_code == 200
    assert '"' not in answer.headers["x-request-id"]


def test_plain_http_leads_to_tls(proxy: Any) -> None:
    answer = httpx.get(f"http://127.0.0.1:{proxy.plain_port}/v1/models?x=1", trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "https://127.0.0.1/v1/models?x=1")


def test_no_other_site_answers_in_its_place(proxied: ModuleType) -> None:
    listeners = re.findall(r"^ +listen (\d+).*( default_server);$", proxied.EXAMPLE.read_text(), re.MULTILINE)
    assert [port for port, _ in listeners] == ["80", "443"]
    # Of two default sites nginx accepts neither, and Debian's is one.
    for page in (REPO / "docs").glob("deployment*.md"):
        assert "rm -f /etc/nginx/sites-enabled/default\n" in page.read_text(encoding="utf-8"), page.name


@pytest.mark.parametrize(("method", "path"), [("GET", "/metrics"), ("POST", "/v1/admin/reload")])
def test_what_is_for_operators_is_not_there(proxy: Any, method: str, path: str) -> None:
    with client(proxy) as http:
        assert http.request(method, path, headers={"x-request-id": f"operator.{method}"}).status_code == 404
    assert logged(proxy, f"operator.{method}")["upstreams"] == ""


def test_a_body_over_the_limit_is_refused_before_it_is_sent(proxy: Any) -> None:
    connection = http.client.HTTPSConnection("localhost", proxy.port, context=proxy.trust, timeout=30)
    connection.putrequest("POST", "/v1/detect")
    connection.putheader("Content-Length", str(SETTINGS.max_upload_bytes + 1))
    connection.endheaders()
    answer = connection.getresponse()
    error = json.loads(answer.read())["error"]
    connection.close()
    assert (answer.status, error["code"]) == (413, "body_too_large")


def test_a_client_is_told_when_to_try_again_if_no_server_answers(proxied: ModuleType, tmp_path: Path) -> None:
    down = [proxied.free_port() for _ in range(3)]
    with proxied.nginx(tmp_path / "nginx", down) as running, client(running) as http:
        answer = http.post("/v1/detect", content=PICTURE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"


def test_limits_are_those_of_the_server(proxied: ModuleType) -> None:
    said = dict(re.findall(r"^ +(\w+) ([^;]+);$", proxied.EXAMPLE.read_text(), re.MULTILINE))
    buffers, size = said["large_client_header_buffers"].split()

    assert int(said["client_max_body_size"].rstrip("m")) * 1024**2 == SETTINGS.max_upload_bytes
    assert float(said["client_body_timeout"].rstrip("s")) == SETTINGS.body_seconds
    assert float(said["client_header_timeout"].rstrip("s")) == SETTINGS.header_seconds
    assert int(buffers) * int(size.rstrip("k")) * 1024 == SETTINGS.max_header_bytes
    assert float(said["proxy_read_timeout"].rstrip("s")) > SETTINGS.queue_seconds
    [idle] = re.findall(r"keepalive 32;.*?keepalive_timeout (\d+)s;", proxied.EXAMPLE.read_text(), re.DOTALL)
    assert float(idle) < SETTINGS.keep_alive_seconds


def test_only_detections_may_be_sent_twice(proxy: Any, proxied: ModuleType) -> None:
    with client(proxy) as http:
        paths = http.get("/openapi.json").json()["paths"]
    [repeatable] = re.findall(r'location ~ "(.+)" \{', proxied.EXAMPLE.read_text())
    posts = [path.replace("{", "").replace("}", "") for path, methods in paths.items() if "post" in methods]
    safe = [path for path in posts if not path.startswith(CHANGES_SOMETHING)]

    assert len(posts) > len(safe) >= 9
    assert [path for path in posts if re.search(repeatable, path)] == safe


class Stopping(BaseHTTPRequestHandler):
    """Answers like a server that is stopping, and counts."""

    seen: Counter[str]

    def do_GET(self) -> None:
        self.seen[f"{self.command} {self.path}"] += 1
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(503)
        self.send_header("content-length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""


def test_three_tries_for_what_may_be_repeated_and_one_for_what_may_not(
    proxied: ModuleType, tmp_path: Path
) -> None:
    handler = type("Counting", (Stopping,), {"seen": Counter()})
    with ExitStack() as left:
        servers = [left.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler)) for _ in range(3)]
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            left.callback(server.shutdown)
        ports = [server.server_address[1] for server in servers]
        with proxied.nginx(tmp_path / "nginx", ports) as running, client(running) as http:
            statuses = [
                http.post("/v1/detect", content=PICTURE).status_code,
                http.post("/v1/corrections", content=PICTURE).status_code,
                http.get("/v1/models").status_code,
                # The three are not held to be broken: the next request is tried as often.
                http.post("/v1/detect", content=PICTURE).status_code,
            ]

    assert statuses == [503] * 4
    assert handler.seen == {"POST /v1/detect": 6, "POST /v1/corrections": 1, "GET /v1/models": 3}
