"""The benchmark's load generator against a small server, and its report over made-up figures."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support import write_tiny_bundle

from bench_serving import limit, load, report

REPOSITORY = Path(__file__).resolve().parents[2]


class Answerer(BaseHTTPRequestHandler):
    """Two detections for each picture; the path says how the connection is kept."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"found": [1, 2] if sent == b"picture" else []}).encode()
        self.send_response(503 if self.path == "/full" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # The load generator leaves once its time is up.
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_request(self, *_: Any) -> None:
        """Nothing is logged."""


@pytest.fixture(params=["HTTP/1.0", "HTTP/1.1"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    handler = type("Handler", (Answerer,), {"protocol_version": request.param})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def task(port: int, body: Path, **changes: Any) -> load.Task:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "path": "/",
        "content_type": "image/jpeg",
        "body": str(body),
        "connections": 3,
        "seconds": 0.2,
        "warm_up_seconds": 0.05,
        "answer_path": ("found",),
        "detections": 2,
    }
    return load.Task(**{**values, **changes})


@pytest.mark.parametrize(
    ("path", "detections", "fault"),
    [("/", 2, ""), ("/", 3, "2 detections instead of 3"), ("/full", 2, "status 503")],
)
def test_every_answer_is_checked(port: int, tmp_path: Path, path: str, detections: int, fault: str) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"picture")
    outcome = load.run(task(port, body, path=path, detections=detections))
    assert bool(outcome.millis) is not bool(fault)
    assert all(fault in one for one in outcome.faults)
    assert bool(outcome.faults) is bool(fault)
    assert outcome.seconds >= 0.2


def test_a_body_larger_than_the_buffers_arrives_whole(port: int, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(bytes(16 * 1024**2))
    outcome = load.run(task(port, body, connections=1, detections=0))
    assert outcome.millis
    assert not outcome.faults


@pytest.mark.parametrize("loops", [1, 2])
def test_the_limit_counts_the_pictures_of_all_loops(tmp_path: Path, loops: int) -> None:
    data = (REPOSITORY / "data" / "sample" / "JPEGImages" / "sample_000.jpg").read_bytes()
    call = limit.whole_way(write_tiny_bundle(tmp_path / "tiny.onnx"), data, 1, 0.5)
    outcome = limit.measure([call] * loops, 0.1)
    assert len(outcome["millis"]) >= loops
    assert outcome["seconds"] >= 0.1


def test_the_report_compares_round_by_round() -> None:
    run = report.Run(
        "a machine",
        "a model",
        {"small": 1000},
        3,
        1.0,
        {"maskdet": {}, "peer": {}, "slug": {}},
        {"maskdet": "defaults", "peer": "", "slug": ""},
    )
    # Each round is twice as slow as the one before, for the server and the limit alike.
    for slowness in (1, 2, 4):
        for name, level, rate in (
            (report.CORE_LOOP, 2, 200 / slowness),
            (report.WIDE_LOOP, 1, 150 / slowness),
            ("maskdet", 1, 100 / slowness),
            ("maskdet", 16, 190 / slowness),
            ("peer", 1, 80 / slowness),
            ("peer", 16, 152 / slowness),
            ("slug", 1, 10 / slowness),
            ("slug", 16, 10 / slowness),
        ):
            outcome = {"millis": [1000 / rate] * 10, "seconds": 10 / rate, "faults": []}
            run.measurements.append(report.Measurement.of(name, "small", level, outcome, None))
    assert report.ratio(run, "maskdet", "small") == pytest.approx(0.95)
    assert report.slowdown(run, "maskdet", "small") == pytest.approx(1.5)
    text = report.as_markdown(run)
    assert "| small | requests/s at 16 against the limit | >= 0.90 | 0.95 | yes |" in text
    assert "| small | p50 at 1 against in-process | <= 1.15 | 1.50 | no |" in text
    assert "| small | requests/s at 16 against the fastest peer (peer) | > 1 | 1.25 | yes |" in text
    assert "| small | p50 at 1 against the quickest peer (peer) | < 1 | 0.80 | yes |" in text
    assert json.loads(report.as_json(run))["rounds"] == 3
