from __future__ import annotations

import base64
import json
import struct
from typing import Any

import cv2
import numpy as np
import pytest
from support import cell_box, paint

from maskdet.serving.http.hashing import hash_key

PICTURE = paint({(1, 2): "with_mask", (4, 5): "without_mask"})
PNG = cv2.imencode(".png", PICTURE[:, :, ::-1])[1].tobytes()
EMPTY = cv2.imencode(".png", np.zeros((32, 32, 3), np.uint8))[1].tobytes()
INFER = "/v2/models/tiny/infer"


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def tensor(**fields: Any) -> dict[str, Any]:
    return {"name": "image", "shape": [1], "datatype": "BYTES", **fields}


def binary_post(served: Any, head: dict[str, Any], tail: bytes, length: int | str | None = None) -> Any:
    start = json.dumps(head).encode()
    size = str(len(start) if length is None else length)
    return served.post(INFER, content=start + tail, headers={"Inference-Header-Content-Length": size})


def element(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def test_server_and_model_describe_themselves(served: Any) -> None:
    server = served.get("/v2").json()
    model = served.get("/v2/models/tiny").json()

    assert server["name"] == "maskdet"
    assert "binary_tensor_data" in server["extensions"]
    assert (model["name"], model["platform"]) == ("tiny", "onnx_onnxv1")
    assert model["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    assert [one["name"] for one in model["outputs"]] == ["bbox", "bbox_num"]
    for path in ("health/live", "health/ready", "models/tiny/ready", "models/tiny/versions/1/ready"):
        assert served.get(f"/v2/{path}").status_code == 200


def test_null_is_as_good_as_absent(served: Any) -> None:
    nothing = {"parameters": None, "outputs": None}
    head = {**nothing, "inputs": [tensor(data=[text(PNG)], parameters=None)]}

    answer = served.post(INFER, content=json.dumps(head))

    assert [one["name"] for one in answer.json()["outputs"]] == ["bbox", "bbox_num"]
    named = {**head, "outputs": [{"name": "bbox", "parameters": None}]}
    assert served.post(INFER, content=json.dumps(named)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v2/repository/index", 404), ("GET", INFER, 405), ("POST", "/v2", 405)],
)
def test_every_error_below_v2_is_a_text(served: Any, method: str, path: str, status: int) -> None:
    response = served.request(method, path)

    assert response.status_code == status
    assert isinstance(response.json()["error"], str)
    assert isinstance(served.get("/v21").json()["error"], dict)


def test_missing_key_is_told_below_v2_as_a_text(in_process: Any) -> None:
    answer = in_process(api_key_hashes=(hash_key("key"),)).get("/v2/models/tiny")

    assert answer.status_code == 401
    assert "API key" in answer.json()["error"]
    assert answer.headers["www-authenticate"] == "Bearer"


def test_health_may_be_asked_by_head(served: Any) -> None:
    for path in ("/v2/health/live", "/v2/health/ready", "/health"):
        assert served.request("HEAD", path).status_code == 200


def test_json_request_without_a_content_type(served: Any) -> None:
    head = {"id": "7", "inputs": [tensor(shape=[2], data=[text(PNG), text(EMPTY)])]}

    answer = served.post(INFER, content=json.dumps(head)).json()

    boxes, counts = answer["outputs"]
    assert (answer["model_name"], answer["id"]) == ("tiny", "7")
    assert (boxes["name"], boxes["datatype"], boxes["shape"]) == ("bbox", "FP32", [2, 6])
    assert boxes["data"][:6] == pytest.approx([0, 1, *cell_box(1, 2)], abs=0.01)
    assert (counts["datatype"], counts["data"]) == ("INT32", [2, 0])


def test_binary_request_as_the_triton_client_sends_it(served: Any) -> None:
    content = element(PNG) + element(EMPTY)
    head = {
        "inputs": [tensor(shape=[2, 1], parameters={"binary_data_size": len(content)})],
        "parameters": {"binary_data_output": True},
    }

    response = binary_post(served, head, content)

    size = int(response.headers["inference-header-content-length"])
    answer, tail = json.loads(response.content[:size]), response.content[size:]
    boxes, counts = answer["outputs"]
    assert boxes["parameters"]["binary_data_size"] == 2 * 6 * 4
    assert "data" not in boxes
    rows = np.frombuffer(tail[: 2 * 6 * 4], "<f4").reshape(2, 6)
    assert rows[1] == pytest.approx([1, 1, *cell_box(4, 5)], abs=0.01)
    assert np.frombuffer(tail[2 * 6 * 4 :], "<i4").tolist() == [2, 0]
    assert counts["shape"] == [2]


def test_outputs_are_chosen_and_binary_one_by_one(served: Any) -> None:
    head = {
        "inputs": [tensor(data=[text(PNG)])],
        "outputs": [{"name": "bbox_num"}, {"name": "bbox", "parameters": {"binary_data": True}}],
    }

    response = served.post(INFER, json=head)

    size = int(response.headers["inference-header-content-length"])
    counts, boxes = json.loads(response.content[:size])["outputs"]
    assert counts["data"] == [2]
    assert boxes["parameters"]["binary_data_size"] == len(response.content) - size == 48


def test_pixels_and_raw_bytes_of_a_file_are_inputs_too(served: Any) -> None:
    pixels = tensor(datatype="UINT8", shape=[1, 256, 256, 3], parameters={"binary_data_size": PICTURE.nbytes})
    file = tensor(datatype="UINT8", shape=[len(PNG)], parameters={"binary_data_size": len(PNG)})
    nested = tensor(
        datatype="UINT8", shape=[1, 64, 64, 3], data=[paint({(0, 0): "with_mask"}, 64, 64).tolist()]
    )

    answers = [
        binary_post(served, {"inputs": [pixels]}, PICTURE.tobytes()),
        binary_post(served, {"inputs": [file]}, PNG),
        served.post(INFER, json={"inputs": [nested]}),
    ]

    assert [one.json()["outputs"][1]["data"] for one in answers] == [[2], [2], [1]]


def test_threshold_is_a_parameter(served: Any) -> None:
    head = {"inputs": [tensor(data=[text(PNG)])], "parameters": {"threshold": 1.0}}
    faint = cv2.imencode(".png", (PICTURE[:, :, ::-1] * 0.8).astype(np.uint8))[1].tobytes()
    head["inputs"] = [tensor(data=[text(faint)])]

    assert served.post(INFER, json=head).json()["outputs"][1]["data"] == [0]


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"inputs": []},
        {"inputs": [tensor(data=[text(PNG)])] * 2},
        {"inputs": [tensor(data=[text(PNG)], shape=[2])]},
        {"inputs": [tensor(data=[text(PNG)], shape=[])]},
        {"inputs": [tensor(data=["*"])]},
        {"inputs": [tensor(data=[5])]},
        {"inputs": [tensor(data=[text(b"no picture")])]},
        {"inputs": [tensor(data=[[[text(PNG)]]])]},
        {"inputs": [tensor()]},
        {"inputs": [tensor(datatype="FP32", data=[0.5])]},
        {"inputs": [tensor(datatype="UINT8", data=[256])]},
        {"inputs": [tensor(datatype="UINT8", data=[0.5])]},
        {"inputs": [tensor(datatype="UINT8", data=[[1], [2, 3]], shape=[3])]},
        {"inputs": [tensor(datatype="UINT8", data=[1, 2], shape=[1, 1, 1, 2])]},
        {"inputs": [tensor(datatype="UINT8", data=[], shape=[0, 2, 2, 3])]},
        {"inputs": [tensor(datatype="UINT8", data=[1], shape=[2**62, 2**62])]},
        {"inputs": [tensor(data=[text(PNG)])], "outputs": [{"name": "masks"}]},
        {"inputs": [tensor(data=[text(PNG)])], "parameters": {"threshold": "high"}},
        {"inputs": [tensor(data=[text(PNG)])], "parameters": {"threshold": {}}},
    ],
)
def test_bad_tensors_are_400_with_the_protocols_error(served: Any, head: dict[str, Any]) -> None:
    response = served.post(INFER, json=head)

    assert response.status_code == 400
    assert list(response.json()) == ["error"]
    assert response.json()["error"]


@pytest.mark.parametrize(
    ("tail", "size", "length"),
    [
        (element(PNG)[:-1], len(element(PNG)), None),
        (b"\xff\xff\xff\xff", 4, None),
        (b"\x01\x00", 2, None),
        (element(PNG), -1, None),
        (element(PNG), True, None),
        (element(PNG), len(element(PNG)), 10**9),
        (element(PNG), len(element(PNG)), "-1"),
        (element(PNG), len(element(PNG)), "9" * 50),
    ],
)
def test_bad_binary_tails_are_400(served: Any, tail: bytes, size: Any, length: Any) -> None:
    head = {"inputs": [tensor(parameters={"binary_data_size": size})]}

    response = binary_post(served, head, tail, length)

    assert response.status_code == 400
    assert list(response.json()) == ["error"]


def test_unknown_model_and_version_are_404(served: Any) -> None:
    for path in ("other", "tiny/versions/2"):
        assert served.get(f"/v2/models/{path}").status_code == 404
        assert "error" in served.post(f"/v2/models/{path}/infer", json={}).json()


def numbers(data: Any, shape: list[int]) -> dict[str, Any]:
    return {"id": "7", "inputs": [tensor(datatype="UINT8", shape=shape, data=data)]}


@pytest.mark.parametrize("indent", [None, 1])
def test_whole_picture_may_come_as_numbers(served: Any, indent: int | None) -> None:
    """More values than any other JSON may have, nested or flat."""
    nested = numbers([PICTURE.tolist()], [1, *PICTURE.shape])
    flat = numbers(PICTURE.ravel().tolist(), [1, *PICTURE.shape])

    answers = [served.post(INFER, content=json.dumps(one, indent=indent)).json() for one in (nested, flat)]

    assert [one["outputs"][1]["data"] for one in answers] == [[2], [2]]
    assert [one["id"] for one in answers] == ["7", "7"]


@pytest.mark.parametrize(
    ("data", "shape", "status"),
    [
        ([256] * 30_000, [1, 100, 100, 3], 400),
        ([0.5] * 30_000, [1, 100, 100, 3], 400),
        ([-1] * 30_000, [1, 100, 100, 3], 400),
        ([0] * 30_000, [1, 100, 101, 3], 400),
        ([[0], [0] * 29_999], [1, 100, 100, 3], 400),
        ([[0] * 10] * 3_000, [1, 100, 100, 3], 400),
        ([0] * 30_000, [1] * 5_000, 400),
        ([0] * 30_000, [10_000, 1, 1, 3], 413),
        ([{}] * 30_000, [30_000], 413),
        ([""] * 30_000, [30_000], 413),
    ],
)
def test_long_lists_that_are_no_picture_are_refused(
    served: Any, data: list[Any], shape: list[int], status: int
) -> None:
    response = served.post(INFER, json=numbers(data, shape))

    assert response.status_code == status
    assert list(response.json()) == ["error"]


def test_long_list_of_numbers_is_no_text(served: Any) -> None:
    head = {"inputs": [tensor(shape=[30_000], data=[0] * 30_000)]}

    assert served.post(INFER, json=head).status_code == 400
