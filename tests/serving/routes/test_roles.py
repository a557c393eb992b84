"""What the server says of classes: told by the bundle's roles, by the operator, or by nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
from support import paint, write_tiny_bundle

from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.settings import ServeSettings
from maskdet.wording.lexicon import Role

NAMES = ("mask", "mask_off", "visor")
"""Of the cells that are green, red and blue."""
CELLS = {"mask": "with_mask", "mask_off": "without_mask", "visor": "mask_weared_incorrect"}
Make = Callable[..., Any]


@pytest.fixture
def roles() -> dict[str, Role] | None:
    """Those in the bundle's metadata; None: what the names tell."""
    return None


@pytest.fixture
def tiny_bundle(tmp_path: Path, roles: dict[str, Role] | None) -> Path:
    """What `in_process` serves here."""
    return write_tiny_bundle(tmp_path / "tiny.onnx", labels=NAMES, roles=roles)


def picture(*names: str) -> bytes:
    cells = {(1, 1 + 2 * place): CELLS[name] for place, name in enumerate(names)}
    return cv2.imencode(".png", paint(cells)[:, :, ::-1])[1].tobytes()


def outcome(app: Any, *names: str) -> str:
    answer = app.post("/v1/detect", content=picture(*names), headers={"content-type": "image/png"}).json()
    return answer["results"][0]["verdict"]["outcome"]


def hub(app: Any, name: str) -> str:
    answer = app.post("/predict/tiny", files={"images": ("a.png", picture(name))}).json()
    return answer["results"][0]["data"][0]["label"]


def test_a_class_of_no_known_role_is_never_ok(in_process: Make) -> None:
    app = in_process()

    assert [outcome(app, name) for name in NAMES] == ["ok", "violation", "uncertain"]
    assert outcome(app, "mask", "visor") == "uncertain"
    assert [hub(app, name) for name in NAMES] == ["MASK", "NO MASK", "NO MASK"]
    [shown], [model] = app.get("/v1/page").json()["models"], app.get("/v1/models").json()["models"]
    assert (shown["violation_labels"], shown["unknown_labels"]) == (["mask_off"], ["visor"])
    assert (model["violation_labels"], model["unknown_labels"]) == (["mask_off"], ["visor"])
    assert model["roles"] == {"mask": "masked", "mask_off": "bare"}
    metrics = app.get("/metrics").text
    assert 'maskdet_faces_total{camera="",compliant="unknown",label="visor"} 3.0' in metrics


@pytest.mark.parametrize("roles", [{"mask": "worn-wrong", "visor": "masked"}])
def test_the_bundles_roles_decide_whatever_the_names_say(in_process: Make) -> None:
    app = in_process()

    assert [outcome(app, name) for name in NAMES] == ["violation", "uncertain", "ok"]
    assert [hub(app, name) for name in NAMES] == ["NO MASK", "NO MASK", "MASK"]


def test_the_operator_has_the_last_word(in_process: Make) -> None:
    app = in_process(violation_labels=("visor",), hub_labels={"mask_off": "BARE"})

    assert [outcome(app, name) for name in NAMES] == ["ok", "ok", "violation"]
    assert [hub(app, name) for name in NAMES] == ["MASK", "BARE", "NO MASK"]
    assert app.get("/v1/page").json()["models"][0]["unknown_labels"] == []


def test_what_nobody_said_is_in_the_log(tiny_bundle: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "maskdet.engine"):
        ServedModel.load("gate", tiny_bundle, ServeSettings(), cores=1)

    [record] = caplog.records
    assert "set data.roles and export again" in record.getMessage()
    assert record.__dict__["fields"] == {"model": "gate", "labels": ["visor"]}
