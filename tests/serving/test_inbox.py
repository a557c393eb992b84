from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from support import LABELS, paint

from maskdet.dataset.check import check
from maskdet.dataset.settings import DataSettings
from maskdet.dataset.voc import read_annotation
from maskdet.detector.picture import PictureLimits, decode
from maskdet.errors import PictureError, ServingError
from maskdet.serving.inbox import ANNOTATIONS, PICTURES, Correction, Inbox
from maskdet.serving.refusals import BadOption, InboxFull
from maskdet.serving.settings import ServeSettings
from maskdet.types import Picture

FACES = [Correction("with_mask", (10.4, 20.6, 60, 80)), Correction("without_mask", (100, 90, 150, 140))]


def encoded(kind: str, size: tuple[int, int] = (200, 160), seed: int = 0, **options: Any) -> bytes:
    """A picture of `size` (width, height) with enough structure to be told from others."""
    rough = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(cv2.resize(rough, size)).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path, ServeSettings())


def stored(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_correction_is_a_voc_pair(inbox: Inbox, tmp_path: Path) -> None:
    data = encoded("JPEG")

    name = inbox.save(data, FACES)

    assert stored(tmp_path) == [f"{ANNOTATIONS}/{name}.xml", f"{PICTURES}/{name}.jpg"]
    assert (tmp_path / PICTURES / f"{name}.jpg").read_bytes() == data
    reading = read_annotation(tmp_path / ANNOTATIONS / f"{name}.xml", "x.xml")
    assert reading.findings == ()
    assert reading.annotation is not None
    assert (reading.annotation.filename, reading.annotation.width) == (f"{name}.jpg", 200)
    assert [(one.label, one.box) for one in reading.annotation.objects] == [
        ("with_mask", (10, 21, 60, 80)),
        ("without_mask", (100, 90, 150, 140)),
    ]


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("JPEG", ".jpg"),
        ("PNG", ".png"),
        ("BMP", ".bmp"),
        ("WEBP", ".webp"),
        ("GIF", ".png"),
        ("TIFF", ".png"),
    ],
)
def test_prepare_reads_what_is_stored(inbox: Inbox, tmp_path: Path, kind: str, ending: str) -> None:
    name = inbox.save(encoded(kind), FACES)

    report = check(DataSettings(root=tmp_path, labels=LABELS))

    assert (tmp_path / PICTURES / f"{name}{ending}").is_file()
    assert [one.picture for one in report.pictures] == [f"{PICTURES}/{name}{ending}"]
    assert not [
        found for found in report.findings if found.code.startswith(("picture", "size", "box", "xml"))
    ]


def test_boxes_belong_to_the_turned_picture(inbox: Inbox, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    name = inbox.save(encoded("JPEG", exif=exif), [Correction("with_mask", (0, 150, 50, 200))])

    annotation = read_annotation(tmp_path / ANNOTATIONS / f"{name}.xml", "x.xml").annotation
    assert annotation is not None
    assert (annotation.width, annotation.height) == (160, 200)
    assert annotation.objects[0].box == (0, 150, 50, 200)


def test_boxes_are_cut_to_the_picture(inbox: Inbox, tmp_path: Path) -> None:
    name = inbox.save(encoded("PNG"), [Correction("with_mask", (-1e300, -5, 1e300, 40))])

    annotation = read_annotation(tmp_path / ANNOTATIONS / f"{name}.xml", "x.xml").annotation
    assert annotation is not None
    assert annotation.objects[0].box == (0, 0, 200, 40)


def test_latest_correction_counts(inbox: Inbox, tmp_path: Path) -> None:
    data = encoded("PNG")

    names = {inbox.save(data, FACES), inbox.save(data, [])}

    assert len(names) == 1
    annotation = read_annotation(tmp_path / ANNOTATIONS / f"{names.pop()}.xml", "x.xml").annotation
    assert annotation is not None
    assert annotation.objects == ()
    assert len(stored(tmp_path)) == 2


@pytest.mark.parametrize(
    "faces",
    [
        [Correction("with_mask", (10, 10, 10.2, 50))],
        [Correction("with_mask", (50, 10, 10, 50))],
        [Correction("with_mask", (300, 300, 400, 400))],
        [Correction("with_mask", (1, 1, 9, 9)), Correction("without_mask", (1.2, 1, 9, 9))],
        [Correction("with_mask", (0, 0, 9, 9))] * 1001,
    ],
)
def test_boxes_that_cannot_be_right_are_refused(
    inbox: Inbox, tmp_path: Path, faces: list[Correction]
) -> None:
    with pytest.raises(BadOption):
        inbox.save(encoded("PNG"), faces)

    assert stored(tmp_path) == []


@pytest.mark.parametrize("data", [b"", b"text", encoded("JPEG")[:-200], encoded("PNG")[:300]])
def test_what_does_not_decode_is_not_stored(inbox: Inbox, tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PictureError):
        inbox.save(data, [])

    assert stored(tmp_path) == []


def test_full_inbox_takes_corrections_of_what_it_has(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, ServeSettings(inbox_pictures=1))
    first = encoded("PNG", seed=1)
    inbox.save(first, [])

    with pytest.raises(InboxFull, match="1 pictures"):
        inbox.save(encoded("PNG", seed=2), [])

    inbox.save(first, FACES)


def test_corrections_at_once_leave_whole_files(inbox: Inbox, tmp_path: Path) -> None:
    data = encoded("PNG")
    threads = [threading.Thread(target=inbox.save, args=(data, FACES[:count])) for count in (0, 1, 2) * 4]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stored(tmp_path)) == 2
    assert read_annotation(next((tmp_path / ANNOTATIONS).iterdir()), "x.xml").annotation is not None


def test_what_a_killed_server_left_aside_is_swept(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from maskdet.files import staged_file\n"
        "with staged_file(Path(sys.argv[1], 'a.jpg')) as aside:\n    aside.touch(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / PICTURES], check=True)
    assert len(stored(tmp_path)) == 1
    Inbox(tmp_path, ServeSettings())
    assert stored(tmp_path) == []


def test_unusable_folder_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ServingError, match="cannot be written to") as caught:
        Inbox(tmp_path / "file", ServeSettings())

    assert "--inbox" in caught.value.hint


# The route


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

    monkeypatch.setattr("maskdet.serving.inbox.decode", slowly)
    assert asyncio.run(all_at_once()) == [201] * 6
    assert seen == [1] * 6


def test_without_an_inbox_nothing_is_kept(served: Any) -> None:
    response = served.post("/v1/corrections", **form())

    assert (response.status_code, response.json()["error"]["code"]) == (403, "no_inbox")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://test"}, 201),
        ({"origin": "https://proxied.example", "sec-fetch-site": "same-origin"}, 201),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://evil.example", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://test:81"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_other_sites_cannot_fill_the_inbox(app: Any, headers: dict[str, str], status: int) -> None:
    assert app.post("/v1/corrections", headers=headers, **form()).status_code == status


def test_origin_that_the_operator_names_may(in_process: Callable[..., Any], tmp_path: Path) -> None:
    app = in_process(inbox=str(tmp_path), cors_origins=("http://friend.example",))

    response = app.post("/v1/corrections", headers={"origin": "http://friend.example"}, **form())

    assert response.status_code == 201
