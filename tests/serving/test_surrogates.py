"""Half of a surrogate pair, which no UTF-8 can hold, wherever a client can put one."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import cv2
import pytest
from support import paint

from maskdet.serving.http.problems import problem_response
from maskdet.serving.process.logs import JsonFormatter
from maskdet.serving.refusals import BadOption

HALF = rb"\ud800"
MASKED = cv2.imencode(".png", paint({(1, 2): "with_mask"})[:, :, ::-1])[1].tobytes()
JSON = {"content-type": "application/json"}
ROUTES = (
    "/v1/detect",
    "/predict/tiny",
    "/predict/clas_system",
    "/api/",
    "/ppdet/prediction",
    "/object-detection",
    "/v2/models/tiny/infer",
)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "body",
    [
        b'{"%s":1}' % HALF,
        b'{"image":"","images":["%s"]}' % HALF,
        b'{"image":"%s"}' % HALF,
        b'{"key":["%s"],"value":["%s"]}' % (HALF, HALF),
        b'{"image":"","threshold":{"%s":0.5}}' % HALF,
        b'{"id":"%s","inputs":[{"name":"%s","shape":[1],"datatype":"%s","data":[1]}]}' % (HALF, HALF, HALF),
        b'{"images":"","revert_params":{"dtype":"%s","shape":[1,1,1,3]}}' % HALF,
    ],
)
def test_no_json_body_fails_the_server(served: Any, path: str, body: bytes) -> None:
    response = served.post(path, content=body, headers=JSON)

    assert response.status_code < 500
    assert response.json()


@pytest.mark.parametrize(
    "query",
    ["?%ed%a0%80=1", "?threshold=%7B%22%5Cud800%22%3A1%7D", "?model=%ed%a0%80", "?threshold=%ed%a0%80"],
)
def test_no_query_fails_the_server(served: Any, query: str) -> None:
    response = served.post(f"/v1/detect{query}", content=MASKED, headers={"content-type": "image/png"})

    assert 400 <= response.status_code < 500
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("charset", ["", "; charset=unicode_escape", "; charset=utf-7", "; charset=utf-16"])
@pytest.mark.parametrize("name", [rb"\ud800.png", b"\xed\xa0\x80.png", b"+2AA-.png"])
def test_no_file_name_fails_the_server(served: Any, charset: str, name: bytes) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="%s"\r\n\r\n' % name
    kind = {"content-type": f"multipart/form-data; boundary=b{charset}"}

    for path in ("/v1/detect", "/predict/image/tiny", "/predict/tiny"):
        response = served.post(path, content=head + MASKED + b"\r\n--b--\r\n", headers=kind)
        assert response.status_code == 200
        assert response.json()["results"]


@pytest.mark.parametrize("name", ["x-request-id", "x-camera", "accept", "if-none-match", "x-api-key"])
def test_no_header_fails_the_server(served: Any, name: str) -> None:
    response = served.get("/", headers={name: b"\xed\xa0\x80"})

    assert response.status_code == 200


def test_answers_and_log_lines_are_utf8_whatever_is_in_them() -> None:
    answer = problem_response(BadOption("no label '\ud800'", "known: 口罩"), "1").body
    record = logging.makeLogRecord(
        {"msg": "request", "fields": {"path": "/\ud800口罩", "ratio": float("nan")}}
    )
    stream = io.BytesIO()
    stream.write(JsonFormatter().format(record).encode("utf-8"))

    assert json.loads(bytes(answer))["error"]["hint"] == "known: 口罩"
    assert json.loads(stream.getvalue())["path"] == "/\ud800口罩"
