from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
from inbox_pictures import encoded, stored
from support import paint

from maskdet.dataset.reading.layout import ANNOTATIONS, PICTURES
from maskdet.detector.picture import PictureLimits, decode
from maskdet.inbox.record import NO_ORIGIN, Origin
from maskdet.serving.http.hashing import hash_key
from maskdet.types import Picture


@pytest.fixture
def app(in_process: Callable[..., Any], tmp_path: Path) -> Any:
    return in_process(inbox=str(tmp_path / "inbox"))


def form(boxes: Any = None, data: bytes | None = None, **fields: str) -> dict[str, Any]:
    faces = [{"label": "with_mask", "box": [32, 32, 64, 64]}] if boxes is None else boxes
    text = faces if isinstance(faces, str) else json.dumps(faces)
    picture = cv2.imencode(".png", paint({(1, 1): "with_mask"}))[1].tobytes() if data is None else data
    return {"files": {"image": ("../../x.png", picture)}, "data": {"boxes": text, **fields}}


def test_route_stores_and_names(app: Any, tmp_path: Path) -> None:
    response = app.post("/v1/corrections", **form())

    assert response.status_code == 201
    name = response.json()["name"]
    assert response.json()["boxes"] == 1
    assert stored(tmp_path) == [
        f"inbox/{ANNOTATIONS}/{name}.xml",
        f"inbox/{PICTURES}/{name}.png",
    ]


def test_correction_keeps_which_bundle_answered_and_which_camera(app: Any, tmp_path: Path) -> None:
    [model] = app.engine.models.values()

    told = app.post(
        "/v1/corrections", **form(bundle=model.sha256[:12], model="tiny"), headers={"x-camera": "gate"}
    )
    untold = app.post("/v1/corrections", **form(data=encoded("JPEG"), boxes=[]))

    records = {one.name: one.origin for one in app.app.inbox.records()}
    assert records[told.json()["name"]] == Origin(model="tiny", bundle=model.sha256[:12], camera="gate")
    assert records[untold.json()["name"]] == NO_ORIGIN


def test_a_difficult_face_is_kept_as_one(app: Any) -> None:
    app.post("/v1/corrections", **form([{"label": "with_mask", "box": [1, 2, 30, 40], "difficult": True}]))

    [record] = app.app.inbox.records()
    assert [one.difficult for one in record.boxes] == [True]


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (form(boxes="[{"), 422, "bad_option"),
        (form(boxes="{}"), 422, "bad_option"),
        (form(boxes='[{"label":"with_mask","box":[1,2,NaN,4]}]'), 422, "bad_option"),
        (form(boxes=[{"label": "with_mask", "box": [1, 2, 3]}]), 422, "bad_option"),
        (form(boxes=[{"label": "hat", "box": [1, 2, 30, 40]}]), 422, "bad_option"),
        (form(boxes=[{"label": "with_mask", "box": [5, 5, 5, 5]}]), 422, "bad_option"),
        (form(model="other"), 404, "unknown_model"),
        (form(bundle="a" * 13), 422, "bad_option"),
        (form(bundle="../../etc/pa"), 422, "bad_option"),
        (form(data=b"text"), 422, "bad_picture"),
        ({"files": {"boxes": (None, "[]")}}, 400, "no_picture"),
        ({"content": b"x", "headers": {"content-type": "text/plain"}}, 415, "wrong_type"),
    ],
)
def test_route_refuses(app: Any, tmp_path: Path, request_: dict[str, Any], status: int, code: str) -> None:
    response = app.post("/v1/corrections", **request_)

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert stored(tmp_path) == []


def test_the_pixels_of_one_correction_at_a_time(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[int] = []
    seen: list[int] = []

    def slowly(data: bytes, limits: PictureLimits) -> Picture:
        running.append(1)
        time.sleep(0.03)
        seen.append(len(running))
        picture = decode(data, limits)
        running.pop()
        return picture

    async def all_at_once() -> list[int]:
        async with app.client() as client:
            forms = [form(data=encoded("PNG", seed=number)) for number in range(6)]
            answers = await asyncio.gather(*(client.post("/v1/corrections", **one) for one in forms))
        return [answer.status_code for answer in answers]

    monkeypatch.setattr("maskdet.inbox.decisions.decode", slowly)
    assert asyncio.run(all_at_once()) == [201] * 6
    assert seen == [1] * 6


def test_without_an_inbox_nothing_is_kept(served: Any) -> None:
    response = served.post("/v1/corrections", **form())

    assert (response.status_code, response.json()["error"]["code"]) == (403, "no_inbox")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://127.0.0.1:8866", "host": "127.0.0.1:8866"}, 201),
        ({"origin": "http://localhost", "host": "localhost"}, 201),
        ({"origin": "http://[::1]:8866", "host": "[::1]:8866"}, 201),
        # A name that the page's own site lets stand for this machine.
        ({"origin": "http://evil.example:8866", "host": "evil.example:8866"}, 403),
        ({"origin": "http://gate.lan", "host": "gate.lan", "x-forwarded-for": "10.0.0.9"}, 201),
        ({"origin": "https://proxied.example", "sec-fetch-site": "same-origin"}, 201),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://evil.example", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://test:81"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": "http://[", "host": "["}, 403),
        ({"origin": "http://[::1", "host": "[::1"}, 403),
    ],
)
def test_other_sites_cannot_fill_the_inbox(app: Any, headers: dict[str, str], status: int) -> None:
    assert app.post("/v1/corrections", headers=headers, **form()).status_code == status


def test_origin_that_the_operator_names_may(in_process: Callable[..., Any], tmp_path: Path) -> None:
    app = in_process(inbox=str(tmp_path), cors_origins=("http://friend.example",))

    response = app.post("/v1/corrections", headers={"origin": "http://friend.example"}, **form())

    assert response.status_code == 201


def test_a_key_is_worth_more_than_a_name(in_process: Callable[..., Any], tmp_path: Path) -> None:
    app = in_process(inbox=str(tmp_path), api_key_hashes=(hash_key("secret"),))
    headers = {"origin": "http://gate.example", "host": "gate.example", "x-api-key": "secret"}

    assert app.post("/v1/corrections", headers=headers, **form()).status_code == 201
