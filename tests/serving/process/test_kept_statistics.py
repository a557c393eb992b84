"""Statistics of real server processes: two workers, a restart, and drift that is named."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from support import LABELS, paint, write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.drift.decision import decide
from maskdet.drift.profile import take_profile
from maskdet.drift.settings import DriftSettings
from maskdet.serving.client import Client
from maskdet.serving.engine.monitor import _sighting
from maskdet.serving.engine.served_model import ServedModel, Work
from maskdet.serving.settings import ServeSettings
from maskdet.types import Picture

pytestmark = pytest.mark.skipif(os.name != "posix", reason="several workers need POSIX")

PNG = {"content-type": "image/png"}
PICTURES = 240


def scenes(seed: int) -> Iterator[Picture]:
    """Grey pictures of many brightnesses, each with a face."""
    draw = np.random.default_rng(seed)
    while True:
        picture = paint({(int(draw.integers(8)), int(draw.integers(8))): LABELS[0]}, 64, 64)
        picture[(picture == 0).all(axis=2)] = int(draw.integers(20, 200))
        yield picture


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = write_tiny_bundle(tmp_path / "tiny.onnx")
    model = ServedModel("tiny", load_bundle(path), ServeSettings(), cores=1)
    works = [model.prepare(Work(scene)) for scene, _ in zip(scenes(0), range(200), strict=False)]
    profile = take_profile([_sighting(one) for one in model.detect(works, alone=True)], LABELS)
    return write_tiny_bundle(path, profile=profile)


def send(url: str, pictures: Iterator[Picture], count: int, camera: str) -> None:
    """Over several connections, one after another, so that each worker gets some."""
    for start in range(0, count, 40):
        with httpx.Client(timeout=60) as client:
            for _ in range(start, min(start + 40, count)):
                body = cv2.imencode(".png", next(pictures)[:, :, ::-1])[1].tobytes()
                headers = {**PNG, "x-camera": camera}
                client.post(f"{url}/v1/detect", content=body, headers=headers).raise_for_status()


def told(url: str, query: str = "") -> dict[str, Any]:
    return dict(httpx.get(f"{url}/v1/monitor{query}", timeout=60).raise_for_status().json())


def seen(answer: dict[str, Any]) -> int:
    return sum(one["ok"] + one["violation"] + one["uncertain"] for one in answer["versions"])


def told_of(url: str, pictures: int, query: str = "", seconds: float = 60) -> dict[str, Any]:
    """The answer that counts so many pictures; each worker learns of the others' only after a while."""
    deadline = time.monotonic() + seconds
    while seen(answer := told(url, query)) != pictures:
        assert time.monotonic() < deadline, answer
        time.sleep(0.2)
    return answer


def test_two_workers_add_up_a_restart_forgets_nothing_and_drift_is_named(
    bundle: Path, tmp_path: Path, start_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, state = tmp_path / "runtime", tmp_path / "state"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    with start_server(bundle, runtime, workers=2, monitor=str(state)) as server:
        send(server.url, scenes(1), PICTURES, "gate")
        normal = told_of(server.url, PICTURES)
        assert server.end() == 0

    with start_server(bundle, runtime, monitor=str(state)) as server:
        assert seen(told(server.url)) == PICTURES
        dark = (scene // 4 for scene in scenes(2))
        send(server.url, dark, PICTURES, "cellar")
        assert seen(told(server.url)) == 2 * PICTURES
        with Client(server.url) as client:
            [view] = client.histories(168)
        cellar = told(server.url, "?camera=cellar")
        metrics = httpx.get(f"{server.url}/metrics", timeout=60).text
        assert server.end() == 0

    assert {one["feature"]: one["drift"] for one in normal["features"]}["brightness"] == "stable"
    assert {one["drift"] for one in normal["features"]} == {"stable"}
    assert {one["feature"]: one["drift"] for one in cellar["features"]}["brightness"] == "drift"
    decision = decide(view, DriftSettings())
    assert {rule.name for rule in decision.rules if rule.verdict == "due"} >= {"psi.brightness"}
    assert normal["kept"]
    assert 'maskdet_drift{feature="brightness",model="tiny"} 1.0' in metrics
    assert len(list(state.glob("hours/*/*.json"))) <= 6


def test_workers_without_a_folder_share_their_counts(
    bundle: Path, tmp_path: Path, start_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "runtime").mkdir()
    with start_server(bundle, tmp_path / "runtime", workers=2) as server:
        send(server.url, scenes(3), 81, "")
        assert not told_of(server.url, 81)["kept"]
        assert server.end() == 0
