from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from support import LABELS, cell_box, paint, write_tiny_bundle

from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.errors import BundleError
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.routes.schemas import DetectAnswer, PictureAnswer, PictureFault
from maskdet.serving.settings import ServeSettings
from maskdet.types import Picture


def encoded(picture: Picture, suffix: str = ".png") -> bytes:
    done, data = cv2.imencode(suffix, picture[:, :, ::-1])
    assert done
    return data.tobytes()


MASKED = encoded(paint({(1, 2): "with_mask"}))
BARE = encoded(paint({(0, 0): "with_mask", (3, 4): "without_mask"}))
EMPTY = encoded(paint({}))
PNG = {"content-type": "image/png"}


def post_raw(served: Any, data: bytes = MASKED, query: str = "", **headers: str) -> httpx.Response:
    return served.post(f"/v1/detect{query}", content=data, headers={**PNG, **headers})


def only(response: httpx.Response) -> PictureAnswer:
    assert response.status_code == 200, response.text
    [entry] = DetectAnswer.model_validate_json(response.content).results
    assert isinstance(entry, PictureAnswer)
    return entry


def error_of(response: httpx.Response) -> dict[str, str]:
    error = response.json()["error"]
    assert set(error) == {"code", "message", "hint", "request_id"}
    assert error["request_id"] == response.headers["x-request-id"]
    assert error["message"]
    assert "/work" not in response.text
    assert "Traceback" not in response.text
    return error


def test_raw_picture_is_answered_in_full(served: Any) -> None:
    answer = only(post_raw(served))

    assert (answer.index, answer.filename, answer.width, answer.height) == (0, "", 256, 256)
    [face] = answer.detections
    assert face.label == "with_mask"
    assert face.score == pytest.approx(1.0, abs=1e-3)
    assert face.box == pytest.approx(cell_box(1, 2))
    assert answer.verdict.outcome == "ok"
    assert answer.verdict.counts == {"with_mask": 1, "without_mask": 0, "mask_weared_incorrect": 0}
    assert answer.model.name == "tiny"
    assert len(answer.model.bundle) == 12
    assert min(answer.timing_ms.model_dump().values()) >= 0
    assert answer.timing_ms.decode > 0


def test_picture_without_faces_is_a_normal_answer(served: Any) -> None:
    answer = only(post_raw(served, EMPTY))

    assert answer.detections == []
    assert answer.verdict.outcome == "ok"


def test_bare_face_is_a_violation(served: Any) -> None:
    assert only(post_raw(served, BARE)).verdict.outcome == "violation"


def test_octet_stream_is_a_picture_too(served: Any) -> None:
    assert only(post_raw(served, **{"content-type": "application/octet-stream"})).detections


def test_boxes_are_in_pixels_after_the_exif_turn(served: Any) -> None:
    # Orientation 6: stored lying on its side, shown after a quarter turn to the right.
    shown = paint({(1, 2): "with_mask"}, height=320, width=192)
    stored = np.ascontiguousarray(np.rot90(shown))
    jpeg = encoded(stored, ".jpg")
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]

    answer = only(served.post("/v1/detect", content=turned, headers={"content-type": "image/jpeg"}))

    assert (answer.width, answer.height) == (192, 320)
    assert answer.detections[0].box == pytest.approx(cell_box(1, 2, 320, 192))


def test_json_takes_one_picture_or_several(served: Any) -> None:
    plain = base64.b64encode(MASKED).decode()
    lines = base64.encodebytes(BARE).decode()

    response = served.post(
        "/v1/detect", json={"image": plain, "images": [f"data:image/png;base64,{plain}", lines]}
    )

    outcomes = [entry["verdict"]["outcome"] for entry in response.json()["results"]]
    assert outcomes == ["ok", "ok", "violation"]


def test_multipart_answers_in_order_and_keeps_the_good_beside_the_bad(served: Any) -> None:
    files = [
        ("image", ("a.png", MASKED)),
        ("image", ("图片.jpg", b"no picture")),
        ("any", ("../../etc/passwd", BARE)),
    ]

    response = served.post("/v1/detect", files=files)

    first, second, third = DetectAnswer.model_validate_json(response.content).results
    assert response.status_code == 200
    assert isinstance(first, PictureAnswer)
    assert first.filename == "a.png"
    assert isinstance(second, PictureFault)
    assert (second.filename, second.error.code) == ("图片.jpg", "bad_picture")
    assert isinstance(third, PictureAnswer)
    assert third.verdict.outcome == "violation"
    assert [first.index, second.index, third.index] == [0, 1, 2]


def test_form_fields_hold_options_and_base64_pictures(served: Any) -> None:
    text = base64.b64encode(BARE).decode()

    response = served.post("/v1/detect", data={"image": text, "max_detections": "1"})

    assert len(only(response).detections) == 1


def test_damaged_base64_among_several_has_its_own_error(served: Any) -> None:
    good = base64.b64encode(MASKED).decode()

    response = served.post("/v1/detect", json={"images": ["*", good]})

    bad, fine = response.json()["results"]
    assert bad["error"]["code"] == "malformed_body"
    assert fine["detections"]


def test_max_detections_shortens_the_list_but_not_the_counts(served: Any) -> None:
    answer = only(post_raw(served, BARE, "?max_detections=1"))

    assert len(answer.detections) == 1
    assert sum(answer.verdict.counts.values()) == 2


@pytest.mark.parametrize(
    ("threshold", "labels"),
    [
        ("0.5", ["with_mask", "without_mask"]),
        ('{"with_mask": 1}', ["without_mask"]),
        ('{"with_mask": 1, "without_mask": 1}', []),
    ],
)
def test_threshold_is_a_number_or_one_for_each_label(served: Any, threshold: str, labels: list[str]) -> None:
    # Half-bright cells score less than 1.
    faint = encoded((paint({(0, 0): "with_mask", (3, 4): "without_mask"}) * 0.8).astype(np.uint8))

    response = served.post("/v1/detect", content=faint, headers=PNG, params={"threshold": threshold})

    assert sorted(face.label for face in only(response).detections) == labels


def test_face_just_below_its_threshold_is_uncertain(served: Any) -> None:
    faint = encoded((paint({(0, 0): "with_mask"}) * 0.8).astype(np.uint8))

    score = only(post_raw(served, faint, "?threshold=0.3")).detections[0].score
    answer = only(post_raw(served, faint, f"?threshold={score + 0.05}"))

    assert answer.detections == []
    assert answer.verdict.outcome == "uncertain"


@pytest.mark.parametrize(
    ("body", "headers", "query", "status", "code"),
    [
        (b"", PNG, "", 400, "no_picture"),
        (MASKED, {}, "", 415, "wrong_type"),
        (MASKED, {"content-type": "text/plain"}, "", 415, "wrong_type"),
        (b"hello", PNG, "", 422, "bad_picture"),
        (MASKED[:200], PNG, "", 422, "bad_picture"),
        (b'{"image":', {"content-type": "application/json"}, "", 400, "malformed_body"),
        (b"[" * 100_000, {"content-type": "application/json"}, "", 400, "malformed_body"),
        (b"\xff\xfe", {"content-type": "application/json"}, "", 400, "malformed_body"),
        (b"[1]", {"content-type": "application/json"}, "", 400, "malformed_body"),
        (b"{}", {"content-type": "application/json"}, "", 400, "no_picture"),
        (b'{"image": "?"}', {"content-type": "application/json"}, "", 400, "malformed_body"),
        ('{"image": "é"}'.encode(), {"content-type": "application/json"}, "", 400, "malformed_body"),
        (b'{"image": 5}', {"content-type": "application/json"}, "", 422, "bad_option"),
        (b'{"image": "", "treshold": 1}', {"content-type": "application/json"}, "", 422, "bad_option"),
        (b'{"image": "", "threshold": NaN}', {"content-type": "application/json"}, "", 422, "bad_option"),
        (b"x", {"content-type": "multipart/form-data"}, "", 400, "malformed_body"),
        (b"x", {"content-type": "multipart/form-data; boundary=b"}, "", 400, "malformed_body"),
        (
            b'--b\r\nContent-Disposition: form-data; name="i"; filename="a"\r\n\r\nhalf',
            {"content-type": "multipart/form-data; boundary=b"},
            "",
            400,
            "malformed_body",
        ),
        (MASKED, PNG, "?threshold=2", 422, "bad_option"),
        (MASKED, PNG, "?threshold=high", 422, "bad_option"),
        (MASKED, PNG, "?threshold={", 400, "malformed_body"),
        (MASKED, PNG, '?threshold={"hat":0.5}', 422, "bad_option"),
        (MASKED, PNG, "?max_detections=-1", 422, "bad_option"),
        (MASKED, PNG, "?visualise=1", 422, "bad_option"),
        (MASKED, PNG, "?model=other", 404, "unknown_model"),
    ],
)
def test_bad_input_gets_a_typed_error(
    served: Any, body: bytes, headers: dict[str, str], query: str, status: int, code: str
) -> None:
    response = served.post(f"/v1/detect{query}", content=body, headers=headers)

    assert (response.status_code, error_of(response)["code"]) == (status, code)


def test_unknown_option_names_the_known_ones(served: Any) -> None:
    error = error_of(post_raw(served, query="?treshold=0.5"))

    assert "treshold" in error["message"]
    assert "threshold" in error["hint"]


def test_too_many_bytes_files_and_pixels(in_process: Any) -> None:
    small = in_process(max_upload_bytes=4096, max_files=2, max_pixels=10_000)
    tiny = encoded(paint({}, 16, 16))

    bytes_error = error_of(small.post("/v1/detect", content=bytes(5000), headers=PNG))
    files_error = error_of(small.post("/v1/detect", files=[("image", ("a.png", tiny))] * 3))
    json_error = error_of(small.post("/v1/detect", json={"images": [""] * 3}))
    pixel_response = small.post("/v1/detect", content=EMPTY, headers=PNG)

    assert {error["code"] for error in (bytes_error, files_error, json_error)} == {"body_too_large"}
    assert (pixel_response.status_code, error_of(pixel_response)["code"]) == (422, "bad_picture")
    assert small.post("/v1/detect", files=[("image", ("a.png", tiny))] * 2).status_code == 200


def test_streamed_body_is_counted_without_a_declared_length(in_process: Any) -> None:
    small = in_process(max_upload_bytes=4096)
    sent = []

    async def endless() -> Any:
        while len(sent) < 10_000:
            sent.append(1)
            yield bytes(1024)

    response = small.post("/v1/detect", content=endless(), headers=PNG)

    assert (response.status_code, error_of(response)["code"]) == (413, "body_too_large")
    assert len(sent) < 100


def test_drawn_picture_comes_in_full_size_with_the_box(served: Any) -> None:
    large = encoded(paint({(1, 2): "with_mask"}, 1024, 1024), ".jpg")

    plain = only(post_raw(served, large))
    answer = only(post_raw(served, large, "?visualize=true"))

    assert answer.image is not None
    data = np.frombuffer(base64.b64decode(answer.image), np.uint8)
    shown = cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1]
    assert shown.shape == (1024, 1024, 3)
    assert tuple(shown[200, 257]) != tuple(shown[200, 320])
    assert answer.detections == plain.detections
    assert plain.image is None


def test_drawn_picture_of_a_crowd_is_as_large_as_what_was_sent(served: Any) -> None:
    crowd = {(row, column): LABELS[(row + column) % 3] for row in range(8) for column in range(8)}

    answer = only(post_raw(served, encoded(paint(crowd, 160, 240)), "?visualize=true"))

    assert len(answer.detections) == 64
    assert answer.image is not None
    data = np.frombuffer(base64.b64decode(answer.image), np.uint8)
    assert cv2.imdecode(data, cv2.IMREAD_COLOR).shape == (160, 240, 3)


def test_models_are_listed(served: Any) -> None:
    [model] = served.get("/v1/models").json()["models"]

    assert model["name"] == "tiny"
    assert model["labels"] == list(LABELS)
    assert model["violation_labels"] == ["mask_weared_incorrect", "without_mask"]
    assert len(model["bundle"]) == 64
    assert model["threshold_policy"] == {"name": "unknown", "parameter": None}


def test_the_policy_in_force_is_told_of_models_and_answers(in_process: Any, tmp_path: Path) -> None:
    app = in_process()
    policy = ThresholdPolicy(name="safe", parameter=0.03)
    path = write_tiny_bundle(tmp_path / "safe.onnx", threshold_policy=policy)
    app.engine.swap("tiny", ServedModel.load("tiny", path, ServeSettings(), cores=1))

    [model] = app.get("/v1/models").json()["models"]

    assert model["threshold_policy"] == {"name": "safe", "parameter": 0.03}
    assert only(post_raw(app)).threshold_policy == "safe"
    assert only(post_raw(app, query="?threshold=0.5")).threshold_policy == "override"
    assert only(post_raw(app, query='?threshold={"with_mask":0.4}')).threshold_policy == "override"


def test_unknown_route_and_method_are_json(served: Any) -> None:
    unknown, wrong = served.get("/nowhere"), served.get("/v1/detect")

    assert (unknown.status_code, error_of(unknown)["code"]) == (404, "unknown_route")
    assert (wrong.status_code, error_of(wrong)["code"]) == (405, "wrong_method")
    assert wrong.headers["allow"] == "POST"


def test_request_id_is_taken_or_made(served: Any) -> None:
    given = post_raw(served, **{"x-request-id": "cam-7.42"})
    odd = post_raw(served, **{"x-request-id": "a b\tc"})

    assert given.headers["x-request-id"] == given.json()["request_id"] == "cam-7.42"
    assert odd.headers["x-request-id"] != "a b\tc"


def test_unforeseen_error_tells_nothing_of_the_inside(
    in_process: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = in_process()
    monkeypatch.setattr(type(broken.engine), "check_room", lambda self: 1 / 0)

    response = broken.post("/v1/detect", content=MASKED, headers=PNG)

    assert (response.status_code, error_of(response)["code"]) == (500, "internal")
    assert "division" not in response.text


def test_the_cause_of_a_failed_pass_is_in_the_log(
    in_process: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: ServedModel, batch: Any, *, alone: bool) -> Any:
        raise BundleError("the model failed: out of memory")

    broken, headers = in_process(), {"x-request-id": "cam-7"}
    monkeypatch.setattr(ServedModel, "detect", fail)

    single = broken.post("/v1/detect", content=MASKED, headers={**PNG, **headers})
    two = broken.post("/v1/detect", files=[("image", MASKED)] * 2, headers=headers)
    hub = broken.post("/predict/tiny", files={"images": ("a.png", MASKED)}, headers=headers)

    assert [one.status_code for one in (single, two, hub)] == [500, 200, 200]
    assert "out of memory" not in single.text + two.text + hub.text
    failures = [one.__dict__["fields"] for one in caplog.records if one.getMessage() == "request failed"]
    assert failures == [{"request_id": "cam-7", "error": "BundleError: the model failed: out of memory"}] * 4
    assert 'maskdet_refusals_total{code="internal"} 3.0' in broken.get("/metrics").text


def test_documents_name_every_route_and_nothing_outside(served: Any) -> None:
    page = served.get("/docs")
    document = served.get("/openapi.json").json()

    assert set(document["paths"]) >= {"/v1/detect", "/v1/models", "/health/live", "/health/ready"}
    assert all(path in page.text for path in document["paths"])
    assert "threshold" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "src=" not in page.text
    body = document["paths"]["/v1/detect"]["post"]["requestBody"]["content"]
    assert set(body) == {"image/*", "application/octet-stream", "multipart/form-data", "application/json"}
    assert json.dumps(document).count("#/components/schemas/DetectAnswer") >= 1


@pytest.mark.parametrize(
    ("encoding", "status"),
    [
        ("gzip", 415),
        (" Deflate", 415),
        ("gzip, br", 415),
        ("identity,gzip", 415),
        ("identity", 200),
        ("utf-8", 200),
    ],
)
def test_compressed_body_is_refused_by_name(served: Any, encoding: str, status: int) -> None:
    headers = {"content-type": "image/png", "content-encoding": encoding}
    picture = cv2.imencode(".png", paint({(1, 2): "with_mask"}))[1].tobytes()

    response = served.post("/v1/detect", content=picture, headers=headers)

    assert response.status_code == status
    assert status == 200 or "compressed with" in response.json()["error"]["message"]
