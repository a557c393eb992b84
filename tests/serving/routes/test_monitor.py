from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support import LABELS, paint, write_tiny_bundle

from maskdet.drift.profile import take_profile
from maskdet.serving.engine.monitor import _sighting
from maskdet.serving.engine.served_model import ServedModel, Work
from maskdet.serving.http.keys import hash_key
from maskdet.serving.settings import ServeSettings

PNG = {"content-type": "image/png"}
BARE = cv2.imencode(".png", paint({(1, 1): "without_mask"})[:, :, ::-1])[1].tobytes()
MASKED = cv2.imencode(".png", paint({(1, 1): "with_mask"})[:, :, ::-1])[1].tobytes()


@pytest.fixture
def app(in_process: Callable[..., Any], tmp_path: Path) -> Any:
    """After a swap from a bundle without a profile to one with it."""
    made = in_process(dialects=())
    old = made.engine.models["tiny"]
    seen = old.detect([old.prepare(Work(np.zeros((64, 64, 3), np.uint8)))], alone=True)
    path = write_tiny_bundle(tmp_path / "new.onnx", profile=take_profile([_sighting(*seen)] * 200, LABELS))
    made.post("/v1/detect", content=MASKED, headers={**PNG, "x-camera": "gate"})
    made.engine.swap("tiny", ServedModel.load("tiny", path, ServeSettings(), cores=1))
    return made


def test_a_swap_during_a_request_changes_nothing_that_it_shows(
    app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, history = app.engine.versions()["tiny"], app.engine.monitor.history
    path = write_tiny_bundle(tmp_path / "newest.onnx", labels=LABELS[:2])
    newest = ServedModel.load("tiny", path, ServeSettings(), cores=1)

    def slow(hours: int) -> Any:
        found = history(hours)
        app.engine.swap("tiny", newest)
        return found

    monkeypatch.setattr(app.engine.monitor, "history", slow)

    told = app.get("/v1/monitor")

    assert (told.status_code, told.json()["version"]) == (200, before)


def test_hours_versions_cameras_and_swaps(app: Any) -> None:
    for _ in range(3):
        app.post("/v1/detect", content=BARE, headers={**PNG, "x-camera": "gate"})
    app.post("/v1/detect", content=MASKED, headers=PNG)
    app.post("/v1/detect", content=b"nonsense", headers=PNG)

    told = app.get("/v1/monitor").json()

    assert (told["model"], told["models"], told["kept"]) == ("tiny", ["tiny"], False)
    old, new = told["versions"]
    assert [(one["reference"], one["answering"]) for one in (old, new)] == [(False, False), (True, True)]
    assert (old["ok"], new["ok"], new["violation"]) == (1, 1, 3)
    assert told["version"] == new["version"]
    assert [(swap["old"], swap["new"]) for swap in told["swaps"]] == [(old["version"], new["version"])]
    assert sum(hour["violation"] for hour in told["hours"]) == 3
    assert (
        sum(hour["requests"] for hour in told["hours"]),
        sum(hour["faults"] for hour in told["hours"]),
    ) == (6, 1)
    cameras = {one["camera"]: (one["ok"], one["violation"], one["drift"]) for one in told["cameras"]}
    assert cameras == {"": (1, 0, "too few"), "gate": (0, 3, "too few")}
    brightness = told["features"][0]
    assert (brightness["feature"], brightness["samples"], brightness["reference"]) == ("brightness", 4, 200)
    assert len(brightness["seen"]) == len(brightness["expected"]) == len(brightness["edges"]) + 1
    [label] = [one for one in told["features"] if one["feature"] == "label"]
    assert (label["labels"], label["seen"]) == (list(LABELS), [1, 3, 0])
    assert told["val"] == {"ok": 200, "violation": 0, "uncertain": 0}


def test_one_camera_and_an_earlier_version(app: Any) -> None:
    app.post("/v1/detect", content=BARE, headers={**PNG, "x-camera": "gate"})
    app.post("/v1/detect", content=BARE, headers=PNG)
    old = app.get("/v1/monitor").json()["versions"][0]["version"]

    gate = app.get("/v1/monitor?camera=gate&hours=48").json()
    untold = app.get("/v1/monitor?camera=").json()
    earlier = app.get(f"/v1/monitor?version={old}&model=tiny").json()

    assert (sum(one["ok"] for one in gate["hours"]), sum(one["violation"] for one in gate["hours"])) == (1, 1)
    assert gate["features"][0]["samples"] == untold["features"][0]["samples"] == 1
    assert (earlier["version"], earlier["features"], earlier["val"]) == (old, [], None)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("hours=0", 422),
        ("hours=x", 422),
        ("hours=100000000000", 422),
        ("model=other", 404),
        ("version=0123456789ab", 422),
        ("version=../../x", 422),
        ("since=1", 422),
    ],
)
def test_bad_options(served: Any, query: str, status: int) -> None:
    response = served.get(f"/v1/monitor?{query}")

    assert response.status_code == status
    assert response.json()["error"]["message"]


def test_it_needs_the_key(in_process: Callable[..., Any]) -> None:
    app = in_process(api_key_hashes=(hash_key("first"),))

    assert app.get("/v1/monitor").status_code == 401
    assert app.get("/v1/monitor", headers={"x-api-key": "first"}).status_code == 200


def test_it_is_documented(served: Any) -> None:
    described = served.get("/openapi.json").json()["paths"]["/v1/monitor"]["get"]

    assert {one["name"] for one in described["parameters"]} == {"hours", "model", "version", "camera"}
