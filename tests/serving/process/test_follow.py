"""A server that follows an alias: promotions and rollbacks under load, and versions that it refuses."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest
from support import LABELS, paint, write_tiny_bundle
from waiting import PATIENCE_SECONDS, until

from maskdet.registry.registry import Registry
from maskdet.registry.signing import make_keys, sign_version

PNG = {"content-type": "image/png"}
MASKED = cv2.imencode(".png", paint({(1, 2): "with_mask"})[:, :, ::-1])[1].tobytes()
OTHER = ("without_mask", "with_mask", "mask_weared_incorrect")
"""Labels of a version that calls a green cell bare."""
SAYS = {1: "with_mask", 2: "without_mask"}
"""Long enough for the slowest machine."""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = Registry(tmp_path / "models")
    for number, labels in ((1, LABELS), (2, OTHER)):
        made.register("gate", write_tiny_bundle(tmp_path / f"{number}.onnx", labels=labels))
    made.set_alias("gate", "champion", 1, why="start")
    return made


def ask(session: httpx.Client, url: str) -> tuple[int, int]:
    """The status and the version that answered; it must have answered as that version does."""
    response = session.post(f"{url}/v1/detect", content=MASKED, headers=PNG)
    [entry] = response.json()["results"]
    assert entry["model"]["name"] == "gate"
    assert entry["detections"][0]["label"] == SAYS[entry["model"]["version"]]
    assert response.headers["x-maskdet-version"] == str(entry["model"]["version"])
    return response.status_code, entry["model"]["version"]


@contextmanager
def clients(url: str, count: int) -> Iterator[list[int]]:
    """Clients that ask all the time; yields the versions that answer, in their order. None may fail."""
    done, answered = threading.Event(), []
    statuses: Counter[int] = Counter()

    def client() -> None:
        with httpx.Client(timeout=PATIENCE_SECONDS) as session:
            while not done.is_set():
                status, version = ask(session, url)
                statuses[status] += 1
                answered.append(version)

    with ThreadPoolExecutor(count) as pool:
        work = [pool.submit(client) for _ in range(count)]
        try:
            yield answered
        finally:
            done.set()
        for one in work:
            one.result(PATIENCE_SECONDS)
    assert set(statuses) == {200}


@pytest.mark.parametrize("workers", [1, 2])
def test_promotion_and_rollback_change_the_answers_and_no_request_fails(
    registry: Registry, tmp_path: Path, start_server: Any, workers: int
) -> None:
    source = f"{registry.folder}:models:gate@champion"
    settings = {"watch_seconds": 0.05, "workers": workers}
    with start_server(source, tmp_path, **settings) as server, clients(server.url, 3) as answered:

        def only(version: int) -> bool:
            seen = len(answered)
            until(lambda: len(answered) >= seen + 20)
            return set(answered[seen:]) == {version}

        assert only(1)
        for _ in range(2):
            registry.set_alias("gate", "champion", 2, why="better")
            until(lambda: only(2))
            registry.rollback("gate", "champion", why="worse")
            until(lambda: only(1))
        registry.set_alias("gate", "champion", 2, why="better")
        until(lambda: only(2))
        [model] = httpx.get(f"{server.url}/v1/models").json()["models"]
        [ready] = httpx.get(f"{server.url}/health/ready").json()["models"]
        bundle = registry.resolve("models:gate@champion").record.bundle
        assert (model["version"], model["bundle"]) == (2, bundle)
        assert ready == {"name": "gate", "bundle": bundle[:12], "version": 2, "refused": False}
        line = f'maskdet_model_version{{bundle="{bundle[:12]}",model="gate",version="2"}} {workers}.0'
        until(lambda: line in httpx.get(f"{server.url}/metrics").text)
        assert 'version="1"} 0.0' in httpx.get(f"{server.url}/metrics").text

        def named() -> list[tuple[str, str, bool]]:
            versions = httpx.get(f"{server.url}/v1/monitor").json()["versions"]
            return [(one["registered"], one["alias"], one["answering"]) for one in versions]

        until(lambda: sorted(named()) == [("gate@1", "", False), ("gate@2", "champion", True)])


def test_a_version_that_cannot_be_used_is_refused_and_the_old_one_goes_on(
    registry: Registry, tmp_path: Path, start_server: Any
) -> None:
    broken = registry.version("gate", 2).bundle
    whole = broken.read_bytes()
    broken.write_bytes(whole + b"\x32\x01x")  # another comment: as good a bundle, but not the registered one
    source = f"{registry.folder}:models:gate@champion"
    with start_server(source, tmp_path, watch_seconds=0.05) as server, httpx.Client() as session:

        def ready() -> dict[str, Any]:
            [found] = session.get(f"{server.url}/health/ready").json()["models"]
            return found

        # The registry itself refuses to move an alias to a damaged version.
        (registry.folder / "gate" / "aliases" / "champion").write_text("2\n")
        until(lambda: ready()["refused"])
        [model] = session.get(f"{server.url}/v1/models").json()["models"]
        assert model["refused"] == "gate/versions/0002/model.onnx is not the file that was registered"
        assert ask(session, server.url) == (200, 1)
        broken.write_bytes(whole)
        until(lambda: not ready()["refused"])
        assert ask(session, server.url) == (200, 2)


@pytest.mark.skipif(
    not (find_spec("model_signing") and find_spec("OpenSSL")), reason="needs maskdet[signing]"
)
def test_a_version_is_swapped_in_only_once_it_is_signed(
    registry: Registry, tmp_path: Path, start_server: Any
) -> None:
    private, public = tmp_path / "team.key", tmp_path / "team.pub"
    make_keys(private, public)
    sign_version(registry.layout("gate"), registry.version("gate", 1), private, "ann")
    settings = {"watch_seconds": 0.05, "require_signature": str(public)}
    source = f"{registry.folder}:models:gate@champion"
    with (
        start_server(source, tmp_path, **settings) as server,
        httpx.Client(timeout=PATIENCE_SECONDS) as session,
    ):

        def refused() -> str:
            [model] = session.get(f"{server.url}/v1/models").json()["models"]
            return str(model["refused"])

        registry.set_alias("gate", "champion", 2, why="in haste")
        until(refused)
        assert refused() == "gate/versions/0002/model.onnx is not signed"
        assert ask(session, server.url) == (200, 1)
        sign_version(registry.layout("gate"), registry.version("gate", 2), private, "ann")
        until(lambda: not refused())
        assert ask(session, server.url) == (200, 2)
        public.unlink()
        registry.rollback("gate", "champion", why="so")
        until(refused)
        assert refused() == "the public key: No such file or directory"
        assert ask(session, server.url) == (200, 2)


def test_a_number_stays_what_it_is(registry: Registry, tmp_path: Path, start_server: Any) -> None:
    source = f"{registry.folder}:models:gate@1"
    with start_server(source, tmp_path, watch_seconds=0.05) as server, httpx.Client() as session:
        registry.set_alias("gate", "champion", 2, why="better")
        [model] = session.post(f"{server.url}/v1/admin/reload").json()["models"]
        assert (model["outcome"], model["version"]) == ("unchanged", 1)
        assert ask(session, server.url) == (200, 1)
