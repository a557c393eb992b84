"""Captures by each policy, over the whole application."""

from __future__ import annotations

import io
import resource
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import onnx
import pytest
from inbox_pictures import encoded
from onnx import numpy_helper
from PIL import Image
from pydantic import ValidationError
from support import LABELS, cell_box, paint, write_tiny_bundle
from waiting import PATIENCE_SECONDS, until

from maskdet.detector.picture import decode
from maskdet.errors import UsageError
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.record import Record
from maskdet.inbox.settings import CaptureSettings
from maskdet.registry.registry import Registry
from maskdet.serving.process.server import check_second_model
from maskdet.serving.settings import ServeSettings
from maskdet.types import Picture

SURE = {(1, 2): "with_mask", (4, 5): "without_mask"}
DOUBT = (6, 1)
UNSURE, SURER = 138, 159
"""Red of a cell that the tiny model calls a bare face with 0.45 or 0.55; the threshold is 0.5."""


def scene(red: int = 0, sure: dict[tuple[int, int], str] | None = None) -> Picture:
    painted = paint({(1, 2): "with_mask"} if sure is None else sure)
    x1, y1, x2, y2 = (round(edge) for edge in cell_box(*DOUBT))
    painted[y1:y2, x1:x2] = (red, 0, 0)
    return painted


def png(picture: Picture) -> bytes:
    return cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()


def post(app: Any, data: bytes, query: str = "", **headers: str) -> Any:
    headers = {"content-type": "application/octet-stream", **headers}
    response = app.post(f"/v1/detect{query}", content=data, headers=headers)
    assert response.status_code == 200
    return response.json()["results"][0]


def post_until(app: Any, data: bytes, check: Callable[[], Any], query: str = "") -> None:
    """Again and again: no second opinion is asked for while the engine is busy, as on a slow machine."""

    def posted() -> Any:
        post(app, data, query)
        return check()

    until(posted)


def captures(app: Any) -> dict[tuple[str, str], int]:
    """The counter: by reason and outcome."""
    found = {}
    for line in app.get("/metrics").text.splitlines():
        if line.startswith("maskdet_captures_total{"):
            parts = line.split('"')
            found[parts[1], parts[3]] = int(float(line.rpartition(" ")[2]))
    return {(why, outcome): count for (outcome, why), count in found.items()}


def one_record(folder: Path) -> Record:
    [record] = until(lambda: Inbox(folder).records())
    assert isinstance(record, Record)
    return record


@pytest.fixture
def app(in_process: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    return lambda **capture: in_process(inbox=str(tmp_path), capture=CaptureSettings(**capture))


@pytest.mark.parametrize(
    ("policy", "red", "why", "disputed"),
    [
        ({"uncertain": True}, UNSURE, "uncertain", [("without_mask", 0.45)]),
        ({"band": 0.1}, UNSURE, "near-threshold", [("without_mask", 0.45)]),
        ({"band": 0.1}, SURER, "near-threshold", [("without_mask", 0.55)]),
        ({"random_share": 1.0}, 0, "random", []),
    ],
)
def test_policy_captures(
    app: Any, tmp_path: Path, policy: dict[str, Any], red: int, why: str, disputed: list[Any]
) -> None:
    served = app(**policy)
    answer = post(served, png(scene(red)), **{"x-camera": "north"})

    record = one_record(tmp_path)

    assert (record.state, record.why, record.origin.camera) == ("proposal", why, "north")
    assert record.origin.model == "tiny"
    assert record.origin.bundle == answer["model"]["bundle"]
    marked = [(one.label, round(one.score or 0, 2)) for one in record.proposed if one.disputed]
    assert marked == disputed
    assert ("with_mask", False) in [(one.label, one.disputed) for one in record.proposed]
    assert (tmp_path / "proposals" / record.file).exists()
    assert list((tmp_path / "JPEGImages").iterdir()) == []
    assert captures(served) == {(why, "stored"): 1}


@pytest.mark.parametrize(
    ("policy", "red"), [({"uncertain": True}, SURER), ({"band": 0.03}, SURER), ({"band": 0.03}, 0)]
)
def test_policy_lets_others_pass(app: Any, tmp_path: Path, policy: dict[str, Any], red: int) -> None:
    served = app(**policy)
    post(served, png(scene(red)))
    post(served, png(scene(UNSURE if "uncertain" in policy else 150)))

    # The second one is captured, so the first one was looked at.
    assert one_record(tmp_path).why in {"uncertain", "near-threshold"}
    assert sum(captures(served).values()) == 1


@pytest.fixture
def two_models(of_models: Any, tmp_path: Path) -> Callable[..., Any]:
    def make(first: Path, second: Path, **capture: Any) -> Any:
        settings = CaptureSettings(**capture)
        return of_models({"first": first, "second": second}, inbox=tmp_path / "inbox", capture=settings)

    return make


def shifted(path: Path) -> Path:
    """The tiny model with each box half a cell further right: it does not see mirror images alike."""
    model = onnx.load(write_tiny_bundle(path))
    [grid] = [one for one in model.graph.initializer if one.name == "grid"]
    boxes = numpy_helper.to_array(grid) + np.array([4, 0, 4, 0], np.float32)
    grid.CopyFrom(numpy_helper.from_array(boxes, "grid"))
    onnx.save(model, path)
    return path


def test_second_model_that_disagrees(two_models: Any, tmp_path: Path) -> None:
    plain = write_tiny_bundle(tmp_path / "a.onnx")
    keen = write_tiny_bundle(tmp_path / "b.onnx", thresholds=dict.fromkeys(LABELS, 0.4))
    served = two_models(plain, keen, second_model="second", checks_per_minute=6000)

    post_until(served, png(scene(0, SURE)), lambda: captures(served).get(("check", "agreed")))
    assert Inbox(tmp_path / "inbox").records() == []
    post_until(served, png(scene(UNSURE)), Inbox(tmp_path / "inbox").records)

    record = one_record(tmp_path / "inbox")
    assert (record.why, record.origin.model) == ("models-disagree", "first")
    assert [(one.label, one.disputed) for one in record.proposed] == [
        ("without_mask", True),
        ("with_mask", False),
    ]


def test_mirror_image_that_is_answered_differently(two_models: Any, tmp_path: Path) -> None:
    served = two_models(
        write_tiny_bundle(tmp_path / "a.onnx"),
        shifted(tmp_path / "b.onnx"),
        mirror=True,
        checks_per_minute=6000,
    )

    post_until(served, png(scene(0, SURE)), lambda: captures(served).get(("check", "agreed")))
    assert Inbox(tmp_path / "inbox").records() == []
    post_until(served, png(scene(0, SURE)), Inbox(tmp_path / "inbox").records, "?model=second")

    record = one_record(tmp_path / "inbox")
    assert (record.why, record.origin.model) == ("mirror-disagrees", "second")
    x1 = {round(one.box[0]) for one in record.proposed if one.label == "with_mask" and one.disputed}
    # The box as it was answered, and that of the mirror image, mirrored back.
    assert x1 == {64 + 16, 64 - 16}


def test_record_names_the_registered_version(of_models: Any, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    version = registry.register("gate", write_tiny_bundle(tmp_path / "a.onnx"))
    settings = {"inbox": tmp_path / "inbox", "capture": CaptureSettings(uncertain=True)}
    post(of_models({"gate": version}, **settings), png(scene(UNSURE)))

    origin = one_record(tmp_path / "inbox").origin
    assert (origin.model, origin.version) == ("gate", "1")


def test_typo_in_the_second_model_is_said() -> None:
    settings = ServeSettings(inbox=Path("x"), capture=CaptureSettings(second_model="hal"))

    with pytest.raises(UsageError, match="no loaded model hal") as caught:
        check_second_model(["gate", "hall"], settings)

    assert caught.value.hint == "did you mean hall?"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"capture": {"uncertain": True}}, "set serve.inbox"),
        ({"inbox": "x", "capture": {"random_share": 0.1, "blur_others": True}}, "blur_others"),
        ({"inbox": "x", "capture": {"per_minute": 0}}, "per_minute"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ServeSettings.model_validate(settings)


def test_nothing_is_kept_by_default(in_process: Callable[..., Any], tmp_path: Path) -> None:
    served = in_process(inbox=str(tmp_path))
    post(served, png(scene(UNSURE)))

    assert Inbox(tmp_path).records() == []
    assert captures(served) == {}


def test_fixed_camera_is_captured_once(app: Any, tmp_path: Path) -> None:
    served = app(random_share=1.0)
    for quality in (95, 80, 60, 40):
        post(served, encoded("JPEG", quality=quality))

    until(lambda: sum(captures(served).values()) == 4)
    assert captures(served) == {("random", "stored"): 1, ("random", "duplicate"): 3}
    assert len(Inbox(tmp_path).records()) == 1


def photo(turn: int) -> bytes:
    """A JPEG as a phone writes it: EXIF with a place, XMP, a comment, and a second picture behind it."""
    exif = Image.Exif()
    exif[0x0112] = turn
    exif[0x010F] = "SECRET phone"
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)}
    buffer = io.BytesIO()
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">SECRET</x:xmpmeta>'
    image = Image.fromarray(scene(UNSURE))
    image.save(buffer, "JPEG", quality=95, exif=exif, comment=b"SECRET", xmp=xmp)
    return buffer.getvalue() + buffer.getvalue()


@pytest.mark.parametrize("turn", [1, 6])
def test_no_exif_or_gps_is_kept(app: Any, tmp_path: Path, turn: int) -> None:
    data = photo(turn)
    with Image.open(io.BytesIO(data)) as image:
        assert image.getexif().get_ifd(0x8825)[2] == (48.0, 51.0, 30.0)
    answer = post(app(uncertain=True), data)

    record = one_record(tmp_path)
    kept = (tmp_path / "proposals" / record.file).read_bytes()

    with Image.open(io.BytesIO(kept)) as image:
        assert dict(image.getexif()) == {}
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for trace in (b"Exif", b"SECRET", b"xmpmeta", b"http"):
        assert trace not in kept
    assert kept.count(b"\xff\xd8\xff") == 1
    # Its boxes are those of the upright picture, which is what is stored.
    [disputed] = [one for one in record.proposed if one.disputed]
    x1, y1, x2, y2 = (round(edge) for edge in disputed.box)
    face = decode(kept)[y1:y2, x1:x2].reshape(-1, 3).mean(axis=0)
    assert face[0] > 100 > face[1]
    assert (record.width, record.height) == (answer["width"], answer["height"])


def test_blur_leaves_only_the_disputed_face(app: Any, tmp_path: Path) -> None:
    picture = scene(UNSURE)
    for cell in (DOUBT, (1, 2)):
        x1, y1, x2, y2 = (round(edge) for edge in cell_box(*cell))
        picture[y1 + 12 : y1 + 20, x1 + 4 : x2 - 4] = picture[y1 + 12 : y1 + 20, x1 + 4 : x2 - 4] // 2
        picture[y1 + 2 : y1 + 10, x1 + 4 : x2 - 4] = np.minimum(
            picture[y1 + 2 : y1 + 10, x1 + 4 : x2 - 4].astype(int) * 3 // 2, 255
        ).astype(np.uint8)
    post(app(band=0.25, uncertain=True, blur_others=True), png(picture))

    record = one_record(tmp_path)
    kept = decode((tmp_path / "proposals" / record.file).read_bytes()).astype(int)

    assert [(one.label, one.disputed) for one in record.proposed] == [
        ("without_mask", True),
        ("with_mask", False),
    ]
    assert len(record.blurred) == 1
    rows = {}
    for name, cell, channel in (("disputed", DOUBT, 0), ("settled", (1, 2), 1)):
        x1, y1, x2, y2 = (round(edge) for edge in cell_box(*cell))
        rows[name] = [part[y1:y2, x1 + 8 : x2 - 8, channel].mean(axis=1) for part in (kept, picture)]
    # Edges bleed a little in a JPEG.
    assert np.abs(rows["disputed"][0] - rows["disputed"][1])[4:-4].max() < 16
    contrast = [np.ptp(one[4:24]) for one in rows["settled"]]
    assert contrast[0] < contrast[1] / 3


def test_requests_never_wait_for_the_thread(
    app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    quick = Inbox.capture_wait

    def slow(self: Inbox, *caps: Any) -> float:
        gate.wait(PATIENCE_SECONDS)
        return quick(self, *caps)

    monkeypatch.setattr(Inbox, "capture_wait", slow)
    monkeypatch.setattr("maskdet.serving.capture.capture.REST", 0)
    served = app(random_share=1.0, per_minute=100)
    try:
        for seed in range(40):
            post(served, encoded("PNG", size=(64, 48), seed=seed))
        # One is in the thread's hands at most, and sixteen wait.
        assert captures(served)["random", "dropped"] in {23, 24}
        assert Inbox(tmp_path).records() == []
    finally:
        gate.set()
    until(lambda: captures(served).get(("random", "stored"), 0) in {16, 17})


def test_full_disk_fails_no_detection(app: Any, tmp_path: Path) -> None:
    served = app(random_share=1.0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        post(served, encoded("PNG"))
        until(lambda: captures(served) == {("random", "full"): 1})
        post(served, encoded("PNG", seed=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert Inbox(tmp_path).records() == []


def test_caps_hold_for_all_workers_together(server_process: Any, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    settings = {"inbox": str(folder), "capture": {"random_share": 1.0, "per_minute": 3}, "workers": 2}

    def send(url: str, seeds: range) -> list[int]:
        def one(seed: int) -> int:
            data = encoded("PNG", size=(64, 48), seed=seed)
            kind = {"content-type": "image/png"}
            # A connection each, so that both workers get some.
            return httpx.post(f"{url}/v1/detect", content=data, headers=kind).status_code

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(one, seeds))

    server = server_process(**settings)
    assert set(send(server.url, range(24))) == {200}
    until(lambda: len(Inbox(folder).records()) >= 3)
    assert server.end() == 0

    assert len(Inbox(folder).records()) == 3
