"""The rules and the dashboard of deploy/: promtool's own tests, and a real Prometheus over a real server."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import yaml
from support import LABELS, paint, write_tiny_bundle
from trained import REPO
from waiting import until

from maskdet.detector.bundle import load_bundle
from maskdet.drift.profile import take_profile
from maskdet.serving.engine.monitor import _sighting
from maskdet.serving.engine.served_model import ServedModel, Work
from maskdet.serving.settings import ServeSettings

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs Prometheus (Debian: apt install prometheus)"
)

DEPLOY = REPO / "deploy"
RULES = [DEPLOY / "prometheus" / name for name in ("recording.yml", "alerts.yml")]
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "maskdet.json"
KEY = "a-key"
VARIABLES = {"$job": "maskdet", "$instance": ".*", "$camera": ".*", "$__rate_interval": "5m"}
PICTURES = 240
"""As many as a verdict on drift needs, for a val of 200."""


class Prometheus:
    """Its HTTP API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **query: str) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=query, timeout=30, trust_env=False).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def values(self, expression: str) -> list[float]:
        """One for each series that a query finds now."""
        return [float(series["value"][1]) for series in self.get("query", query=expression)["result"]]

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]


def png(draw: np.random.Generator) -> bytes:
    """Grey of some brightness with a face of any class."""
    cell = (int(draw.integers(8)), int(draw.integers(8)))
    picture = paint({cell: LABELS[int(draw.integers(3))]}, 64, 64)
    picture[(picture == 0).all(axis=2)] = int(draw.integers(20, 200))
    return cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a profile, so that there is a drift to name."""
    path = write_tiny_bundle(tmp_path_factory.mktemp("profiled") / "tiny.onnx")
    model, draw = ServedModel("tiny", load_bundle(path), ServeSettings(), cores=1), np.random.default_rng(0)
    pictures = [cv2.imdecode(np.frombuffer(png(draw), np.uint8), cv2.IMREAD_COLOR_RGB) for _ in range(200)]
    seen = model.detect([model.prepare(Work(picture)) for picture in pictures], alone=True)
    return write_tiny_bundle(path, profile=take_profile([_sighting(one) for one in seen], LABELS))


class Traffic:
    """Every kind of request that the dashboard shows."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"x-api-key": KEY}, timeout=60, trust_env=False)
        self._draw = np.random.default_rng(1)

    def send(self, count: int) -> None:
        """Pictures of two cameras, and one that is none."""
        for start in range(0, count, 16):
            files = [("image", png(self._draw)) for _ in range(start, min(start + 16, count))]
            camera = {"x-camera": "north" if start % 32 else "south"}
            self._client.post("/v1/detect", files=files, headers=camera).raise_for_status()
        self._client.post("/v1/detect", content=b"none", headers={"content-type": "image/png"})

    def reload(self) -> int:
        return self._client.post("/v1/admin/reload").status_code

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="module")
def prometheus(
    bundle: Path, start_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """With the configuration of deploy/, but every second, over a server that has seen everything."""
    folder = tmp_path_factory.mktemp("prometheus")
    settings = {
        "api_key_hashes": [hashlib.sha256(KEY.encode()).hexdigest()],
        "inbox": str(folder / "inbox"),
        "capture": {"random_share": 0.1},
    }
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    with start_server(bundle, runtime, **settings) as server:
        traffic = Traffic(server.url)
        traffic.send(PICTURES)
        whole = bundle.read_bytes()
        bundle.write_bytes(whole[:1000])
        assert traffic.reload() == 409
        with running_prometheus(folder, server.port) as found:
            until(lambda: found.values("maskdet_ready") == [1], what="the server is not scraped")
            traffic.send(32)
            until(
                lambda: traffic.send(1) or found.values("rate(maskdet_faces_total[1m])"),
                what="no second scrape",
            )
            yield found
        bundle.write_bytes(whole)
        traffic.close()


class running_prometheus:  # noqa: N801  (reads as a function)
    """A Prometheus in a process of its own, for a block."""

    def __init__(self, folder: Path, target: int) -> None:
        config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = list(map(str, RULES))
        [job] = config["scrape_configs"]
        job["authorization"]["credentials_file"] = str(folder / "api-key")
        job["static_configs"] = [{"targets": [f"127.0.0.1:{target}"]}]
        (folder / "api-key").write_text(f"{KEY}\n")
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self._folder = folder

    def __enter__(self) -> Prometheus:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        command = ["prometheus", f"--config.file={self._folder / 'prometheus.yml'}"]
        command += [f"--storage.tsdb.path={self._folder / 'tsdb'}", f"--web.listen-address={address}"]
        self._log = (self._folder / "prometheus.log").open("w")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        until(lambda: self._answers(f"http://{address}"), what="Prometheus does not start")
        return Prometheus(f"http://{address}")

    def _answers(self, url: str) -> bool:
        assert self._process.poll() is None, Path(self._log.name).read_text()
        try:
            return httpx.get(f"{url}/-/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()


def panels() -> list[dict[str, Any]]:
    return [
        one for one in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"] if one["type"] != "row"
    ]


def queries() -> dict[str, str]:
    """What the dashboard asks, by panel."""
    found = {f"{one['title']} {to['refId']}": to["expr"] for one in panels() for to in one["targets"]}
    for name, query in found.items():
        for variable, value in VARIABLES.items():
            query = query.replace(variable, value)  # noqa: PLW2901
        found[name] = query
    return found


@functools.cache
def alerts_and_records() -> dict[str, str]:
    """Expressions by the name of the rule."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]
    return {rule.get("alert") or rule["record"]: rule["expr"] for group in groups for rule in group["rules"]}


def test_promtools_own_tests_of_the_rules_pass() -> None:
    tested = subprocess.run(
        ["promtool", "test", "rules", DEPLOY / "prometheus" / "rules_test.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_has_a_test_in_which_it_fires() -> None:
    written = yaml.safe_load((DEPLOY / "prometheus" / "rules_test.yml").read_text(encoding="utf-8"))
    tests = [one for group in written["tests"] for one in group.get("alert_rule_test", [])]
    fired = {one["alertname"] for one in tests if one["exp_alerts"]}
    assert fired == {name for name in alerts_and_records() if ":" not in name}


def test_every_query_of_the_dashboard_finds_data(prometheus: Prometheus) -> None:
    def empty() -> set[str]:
        return {
            name for name, query in asked.items() if not any(map(math.isfinite, prometheus.values(query)))
        }

    asked = queries()
    # What a rule records is there a second after the samples behind it.
    with suppress(AssertionError):
        until(lambda: not empty(), what="some find none")
    assert empty() == set()


def test_every_variable_of_the_dashboard_has_values(prometheus: Prometheus) -> None:
    for variable in json.loads(DASHBOARD.read_text(encoding="utf-8"))["templating"]["list"]:
        call = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"])
        assert call, variable["definition"]
        found = prometheus.get(f"label/{call[2]}/values", **{"match[]": call[1].replace("$job", "maskdet")})
        assert found, variable["name"]


def test_every_rule_is_evaluated_and_records_data(prometheus: Prometheus) -> None:
    until(
        lambda: all(rule["health"] != "unknown" for rule in prometheus.rules()),
        what="a rule is not evaluated",
    )
    found = prometheus.rules()
    assert {rule["name"] for rule in found} == set(alerts_and_records())
    assert [rule for rule in found if rule["health"] != "ok"] == []
    records = [name for name in alerts_and_records() if ":" in name]
    until(lambda: all(map(prometheus.values, records)), what="a rule records nothing")


def test_alerts_are_about_metrics_that_the_server_has(prometheus: Prometheus) -> None:
    known = set(prometheus.get("label/__name__/values"))
    for name, expression in alerts_and_records().items():
        wanted = set(re.findall(r"\b(?:job\w*:)?maskdet_\w+(?::\w+)?", expression))
        assert wanted <= known, name


def test_a_refused_bundle_is_the_only_trouble_of_a_healthy_server(prometheus: Prometheus) -> None:
    until(lambda: prometheus.values("ALERTS"), what="the refused bundle raises no alert")
    names = {one["metric"]["alertname"] for one in prometheus.get("query", query="ALERTS")["result"]}
    assert names - {"MaskdetComplianceLow", "MaskdetDrift"} == {"MaskdetBundleRefused"}
