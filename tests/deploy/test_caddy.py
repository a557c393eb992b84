"""The Caddy example with the real Caddy."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest
from support import paint
from trained import REPO

from maskdet.serving.settings import ServeSettings
from rolling_update.proxied import write_certificate
from served import free_port

EXAMPLE = REPO / "deploy/caddy/Caddyfile"
PICTURE = cv2.imencode(".png", paint({(1, 2): "with_mask"})[:, :, ::-1])[1].tobytes()
SETTINGS = ServeSettings()
SECOND = 10**9
"""In nanoseconds, which Caddy counts."""


def adapted(folder: Path, **environment: str) -> dict[str, Any]:
    """The example as Caddy reads it. Skips without Caddy."""
    if shutil.which("caddy") is None:
        pytest.skip("caddy is not installed")
    command = ["caddy", "adapt", "--config", str(EXAMPLE)]
    env = {**os.environ, "HOME": str(folder), **environment}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def proxy(server_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of the example before one server; another one is down."""
    folder, port = tmp_path_factory.mktemp("caddy"), free_port()
    tls = folder / "tls"
    settings = adapted(
        folder,
        MASKDET_SITE=f"https://localhost:{port}",
        MASKDET_TLS=f"tls {tls}/tls.crt {tls}/tls.key",
        MASKDET_SERVERS=f"127.0.0.1:{free_port()} 127.0.0.1:{server_port}",
    )
    write_certificate(tls)
    # Neither port 80 nor the port for administration belongs to a test.
    settings["admin"] = {"disabled": True}
    settings["apps"]["http"]["http_port"] = free_port()
    (folder / "caddy.json").write_text(json.dumps(settings))
    command = ["caddy", "run", "--config", str(folder / "caddy.json")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, env={**os.environ, "HOME": str(folder)})
    trust = ssl.create_default_context(cafile=tls / "tls.crt")
    try:
        with httpx.Client(base_url=f"https://localhost:{port}", verify=trust, trust_env=False) as found:
            await_answer(found, folder / "log")
            yield found
    finally:
        process.terminate()
        process.wait()


def await_answer(proxy: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if proxy.get("/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(log.read_text())


def test_a_detection_reaches_the_server_that_is_up(proxy: httpx.Client) -> None:
    answers = [
        proxy.post("/v1/detect", content=PICTURE, headers={"content-type": "image/png"}) for _ in range(4)
    ]
    assert [one.json()["results"][0]["detections"][0]["label"] for one in answers] == ["with_mask"] * 4


def test_what_is_for_operators_is_not_there(proxy: httpx.Client) -> None:
    assert proxy.get("/metrics").status_code == 404
    assert proxy.post("/v1/admin/reload").status_code == 404
    # It looks like a request from this machine, but is one through a proxy.
    assert proxy.get("/v1/models").status_code == 200


def test_a_body_over_the_limit_is_refused(proxy: httpx.Client) -> None:
    answer = proxy.post("/v1/detect", content=bytes(SETTINGS.max_upload_bytes + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_limits_are_those_of_the_server(tmp_path: Path) -> None:
    [server] = adapted(tmp_path)["apps"]["http"]["servers"].values()
    handlers = [one for route in server["routes"][0]["handle"][0]["routes"] for one in route["handle"]]
    by_name = {one["handler"]: one for one in handlers}
    transport = by_name["reverse_proxy"]["transport"]

    assert by_name["request_body"]["max_size"] == SETTINGS.max_upload_bytes
    assert server["read_timeout"] / SECOND == SETTINGS.body_seconds
    assert server["read_header_timeout"] / SECOND == SETTINGS.header_seconds
    assert server["max_header_bytes"] == SETTINGS.max_header_bytes
    assert transport["response_header_timeout"] / SECOND > SETTINGS.queue_seconds
    assert transport["keep_alive"]["idle_timeout"] / SECOND < SETTINGS.keep_alive_seconds
    assert len(by_name["reverse_proxy"]["upstreams"]) == 3
