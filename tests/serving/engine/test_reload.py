"""New bundles in a running server: swapped without a failed request, or refused."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from support import LABELS, paint, write_tiny_bundle

from maskdet.errors import BundleError
from maskdet.serving.app import create_app
from maskdet.serving.engine import reload
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.reload import Reloaded, Reloader, merged
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.engine.source import Source
from maskdet.serving.http.hashing import hash_key
from maskdet.serving.settings import ServeSettings

PNG = {"content-type": "image/png"}
MASKED = cv2.imencode(".png", paint({(1, 2): "with_mask"})[:, :, ::-1])[1].tobytes()
OTHER = ("without_mask", "with_mask", "mask_weared_incorrect")
"""Labels of a bundle that calls a green cell bare."""


def place(path: Path, labels: tuple[str, ...] = LABELS) -> str:
    """Put a bundle at a path as a deployment would, by renaming; the first characters of its sha256."""
    aside = write_tiny_bundle(path.with_suffix(".new"), labels=labels)
    name = sha256(aside.read_bytes()).hexdigest()[:12]
    aside.replace(path)
    return name


def broken_bundle(how: str) -> bytes:
    """The bytes of a bundle that must be refused."""
    whole = Path(os.environ["TINY"]).read_bytes()
    if how == "cut off":
        return whole[: len(whole) // 2]
    if how == "NaN":
        model = onnx.load_from_string(whole)
        [bias] = [one for one in model.graph.initializer if one.name == "bias"]
        bias.CopyFrom(numpy_helper.from_array(np.full(3, np.nan, np.float32), "bias"))
        return bytes(model.SerializeToString())
    return b"" if how == "empty" else b"no model"


class Running:
    """An application whose model lies at `path`, and its reloader."""

    def __init__(self, path: Path, **settings: Any) -> None:
        wanted = ServeSettings(**settings)
        self.path = path
        self.engine = Engine({"tiny": ServedModel.load("tiny", path, wanted, cores=1)}, wanted)
        self.reloader = Reloader(self.engine, {"tiny": Source(path)}, wanted, cores=1)
        self.app = create_app(self.engine, wanted, self.reloader)
        self.engine.start()
        asyncio.run(self.engine.probe())

    def call(self, method: str, url: str, *, client: str = "127.0.0.1", **options: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(client, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as session:
                return await session.request(method, url, **options)

        return asyncio.run(one())

    def label(self) -> tuple[str, str]:
        """What it calls a green cell, and the bundle that said so."""
        response = self.call("POST", "/v1/detect", content=MASKED, headers=PNG)
        [entry] = response.json()["results"]
        assert response.headers["x-maskdet-bundle"] == entry["model"]["bundle"]
        return entry["detections"][0]["label"], entry["model"]["bundle"]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def start(**settings: Any) -> Running:
        place(tmp_path / "model.onnx")
        made.append(Running(tmp_path / "model.onnx", **settings))
        return made[0]

    yield start
    for one in made:
        one.engine.close()


@pytest.fixture(autouse=True)
def _tiny(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY", str(tiny_bundle))


def test_reload_takes_up_a_new_bundle(run: Callable[..., Running]) -> None:
    server = run()
    before = server.label()
    name = place(server.path, OTHER)

    answer = server.call("POST", "/v1/admin/reload")

    assert before[0] == "with_mask"
    assert answer.status_code == 200
    [model] = answer.json()["models"]
    assert (model["name"], model["outcome"], model["bundle"][:12]) == ("tiny", "swapped", name)
    assert server.label() == ("without_mask", name)
    assert server.call("POST", "/v1/admin/reload").json()["models"][0]["outcome"] == "unchanged"


def test_files_are_looked_at_outside_the_event_loop(
    run: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    reloader, threads = run(watch=True, watch_seconds=0.01).reloader, set()
    looked = Source.state.fget  # type: ignore[attr-defined]

    def slow(self: Source) -> Any:
        threads.add(threading.current_thread())
        return looked(self)

    monkeypatch.setattr(Source, "state", property(slow))

    async def watch() -> None:
        await reloader.reload()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(reloader.watch(), 0.5)

    asyncio.run(watch())
    assert threads
    assert threading.main_thread() not in threads


def test_every_dialect_names_the_bundle_in_a_header(run: Callable[..., Running]) -> None:
    server = run()
    _, name = server.label()

    hub = server.call("POST", "/predict/tiny", files={"images": ("a.png", MASKED)})
    form = server.call("POST", "/predict/image/tiny", files={"image": ("a.png", MASKED)})

    assert hub.headers["x-maskdet-bundle"] == form.headers["x-maskdet-bundle"] == name
    assert "x-maskdet-bundle" not in server.call("GET", "/v1/models").headers


@pytest.mark.parametrize("how", ["cut off", "empty", "no model", "NaN"])
def test_bad_bundle_never_replaces_a_good_one(run: Callable[..., Running], how: str) -> None:
    server = run()
    before = server.label()
    server.path.write_bytes(broken_bundle(how))

    answer = server.call("POST", "/v1/admin/reload")
    [model] = server.call("GET", "/v1/models").json()["models"]

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "bundle_refused"
    assert server.label() == before
    assert model["bundle"][:12] == before[1]
    assert model["refused"]
    assert str(server.path.parent) not in answer.text + model["refused"]
    assert server.call("GET", "/health/ready").status_code == 200
    counted = 'maskdet_reloads_total{model="tiny",outcome="refused"} 1.0'
    assert counted in server.call("GET", "/metrics").text
    assert 'maskdet_bundle_refused{model="tiny"} 1.0' in server.call("GET", "/metrics").text

    place(server.path, OTHER)
    assert server.call("POST", "/v1/admin/reload").status_code == 200
    assert 'maskdet_bundle_refused{model="tiny"} 0.0' in server.call("GET", "/metrics").text
    assert server.call("GET", "/v1/models").json()["models"][0]["refused"] == ""


@pytest.mark.parametrize(
    "settings", [{"violation_labels": ("without_mask",)}, {"hub_labels": {"without_mask": "BARE"}}]
)
def test_a_bundle_without_the_labels_of_the_settings_is_refused(
    run: Callable[..., Running], settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    server = run(**settings)
    before = server.label()
    place(server.path, ("with_mask", "no_mask", "mask_weared_incorrect"))

    answer = server.call("POST", "/v1/admin/reload")

    assert (answer.status_code, server.label()) == (409, before)
    why = f"serve.{next(iter(settings))}: no loaded model has the label without_mask"
    assert why in answer.json()["error"]["message"]
    [refused] = [one for one in caplog.records if one.getMessage() == "bundle refused"]
    assert refused.__dict__["fields"]["error"] == why


def test_missing_file_is_refused_and_said(run: Callable[..., Running]) -> None:
    server = run()
    before = server.label()
    server.path.unlink()

    answer = server.call("POST", "/v1/admin/reload")

    assert (answer.status_code, server.label()) == (409, before)
    assert "No such file" in answer.json()["error"]["message"]


def test_reload_names_models_only(run: Callable[..., Running]) -> None:
    server = run()

    unknown = server.call("POST", "/v1/admin/reload?model=../../etc/passwd")

    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_model")
    assert server.call("POST", "/v1/admin/reload?model=tiny").status_code == 200
    assert server.call("GET", "/v1/admin/reload").status_code == 405


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        ("203.0.113.9", {}),
        ("testclient", {}),
        ("127.0.0.1", {"origin": "https://evil.example"}),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}),
    ],
    ids=["far", "nameless", "browser page", "behind a proxy"],
)
def test_without_keys_only_local_programs_reload(
    run: Callable[..., Running], client: str, headers: dict[str, str]
) -> None:
    server = run()

    answer = server.call("POST", "/v1/admin/reload", client=client, headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert server.call("POST", "/v1/admin/reload", client="::1").status_code == 200


def test_with_keys_a_key_is_needed_and_enough(run: Callable[..., Running]) -> None:
    server = run(api_key_hashes=(hash_key("key"),))

    assert server.call("POST", "/v1/admin/reload").status_code == 401
    far = server.call("POST", "/v1/admin/reload", client="203.0.113.9", headers={"x-api-key": "key"})
    assert far.status_code == 200


def test_watch_waits_for_a_file_to_settle_and_takes_it_up(run: Callable[..., Running]) -> None:
    server = run(watch=True, watch_seconds=0.05)
    [before] = server.engine.models.values()

    async def grow() -> list[str]:
        """The bundles that answer while the file is written in pieces, and in the end."""
        watching = asyncio.ensure_future(server.reloader.watch())
        whole = write_tiny_bundle(server.path.with_suffix(".new"), labels=OTHER).read_bytes()
        seen = []
        for cut in range(0, len(whole), len(whole) // 8):
            server.path.write_bytes(whole[: cut + len(whole) // 8])
            await asyncio.sleep(0.02)
            seen.append(server.engine.models["tiny"].sha256)
        until = time.monotonic() + 20
        while server.engine.models["tiny"] is before and time.monotonic() < until:
            await asyncio.sleep(0.02)
        watching.cancel()
        return [*seen, server.engine.models["tiny"].sha256]

    *during, after = asyncio.run(grow())

    assert set(during) == {before.sha256}
    assert after == sha256(server.path.read_bytes()).hexdigest()


def test_watch_logs_a_bad_file_once_and_goes_on(
    run: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    server = run(watch=True, watch_seconds=0.02)
    server.path.write_bytes(b"no model")

    async def look() -> None:
        watching = asyncio.ensure_future(server.reloader.watch())
        until = time.monotonic() + 20
        while not server.reloader.refused() and time.monotonic() < until:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        watching.cancel()

    asyncio.run(look())

    refusals = [one for one in caplog.records if one.getMessage() == "bundle refused"]
    assert [one.fields["file"] for one in refusals] == [str(server.path)]
    assert server.label()[0] == "with_mask"


def test_watch_tries_a_refused_model_again_and_logs_a_reason_once(
    run: Callable[..., Running], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is right and stays as it is: only the reason passes, such as a full disk."""
    server = run(watch=True, watch_seconds=0.01)
    monkeypatch.setattr(reload, "RETRY_SECONDS", 0.02)
    tries, from_source = [], ServedModel.from_source
    passing = [OSError(28, "No space left on device")] * 3 + [
        BundleError("model.onnx: Input/output error")
    ] * 2

    def load(*given: Any, **named: Any) -> ServedModel:
        tries.append(1)
        if passing:
            raise passing.pop(0)
        return from_source(*given, **named)

    monkeypatch.setattr(ServedModel, "from_source", load)
    name = place(server.path, OTHER)

    async def look() -> None:
        watching = asyncio.ensure_future(server.reloader.watch())
        until = time.monotonic() + 20
        while server.engine.models["tiny"].sha256[:12] != name and time.monotonic() < until:
            await asyncio.sleep(0.02)
        watching.cancel()

    asyncio.run(look())

    assert server.label() == ("without_mask", name)
    assert len(tries) == 6
    reasons = [one.fields["error"] for one in caplog.records if one.getMessage() == "bundle refused"]
    assert reasons == ["it failed unexpectedly; see the log", "model.onnx: Input/output error"]
    assert not server.reloader.refused()


def test_a_change_of_permissions_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.touch()
    before = Source(path).state

    path.chmod(0o400)

    assert Source(path).state != before


def test_workers_answers_are_merged_to_the_worst() -> None:
    swapped, refused = Reloaded("a", "2", "swapped"), Reloaded("a", "1", "refused", "cut off")
    unchanged, other = Reloaded("a", "2", "unchanged"), Reloaded("b", "3", "unchanged")

    assert merged([swapped, other, unchanged]) == [swapped, other]
    assert merged([swapped, refused]) == [refused]
    assert merged([]) == []


def test_a_hundred_swaps_under_load_fail_no_request(
    tmp_path: Path, start_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    path = tmp_path / "model.onnx"
    first, second = place(path), place(path, OTHER)
    says = {first: "with_mask", second: "without_mask"}
    statuses: Counter[int] = Counter()
    answered: Counter[str] = Counter()
    done = threading.Event()

    def client(url: str) -> None:
        with httpx.Client(timeout=60) as session:
            while not done.is_set():
                response = session.post(f"{url}/v1/detect", content=MASKED, headers=PNG)
                statuses[response.status_code] += 1
                [entry] = response.json()["results"]
                bundle = entry["model"]["bundle"]
                assert response.headers["x-maskdet-bundle"] == bundle
                assert entry["detections"][0]["label"] == says[bundle]
                answered[bundle] += 1

    with start_server(path, tmp_path) as server, ThreadPoolExecutor(3) as pool:
        clients = [pool.submit(client, server.url) for _ in range(3)]
        try:
            for number in range(100):
                place(path, OTHER if number % 2 else LABELS)
                swap = httpx.post(f"{server.url}/v1/admin/reload", timeout=60)
                assert swap.json()["models"][0]["outcome"] == "swapped"
        finally:
            done.set()
        for one in clients:
            one.result(60)

    assert set(statuses) == {200}
    assert min(answered[first], answered[second]) > 20


def test_replaced_models_are_let_go(run: Callable[..., Running]) -> None:
    server = run(threads=2)
    models = []
    for number in range(6):
        server.label()
        models.append(weakref.ref(server.engine.models["tiny"]))
        place(server.path, LABELS if number % 2 else OTHER)
        assert server.call("POST", "/v1/admin/reload").status_code == 200

    # Each inference thread keeps what it worked on last.
    threads = len(server.engine._threads)
    assert [one() for one in models[: -1 - threads]] == [None] * (5 - threads)
