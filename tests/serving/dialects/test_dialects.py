"""The dialects' own rules and errors, beyond what the seed documents show."""

from __future__ import annotations

import ast
import base64
import json
import re
from typing import Any

import cv2
import numpy as np
import pytest
from support import cell_box, paint

MODULE = "pyramidbox_lite_server_mask"


def encoded(cells: dict[tuple[int, int], str]) -> bytes:
    done, data = cv2.imencode(".png", paint(cells)[:, :, ::-1])
    assert done
    return data.tobytes()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


MASKED = encoded({(1, 2): "with_mask"})
BARE = encoded({(1, 2): "without_mask"})
EMPTY = encoded({})
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("value", ["0", "false", "no", ""])
def test_hub_form_visual_result_turns_the_picture_off(served: Any, value: str) -> None:
    answer = served.post(
        f"/predict/image/{MODULE}", files={"image": ("a.png", MASKED)}, data={"visual_result": value}
    ).json()

    [item] = json.loads(answer["results"])
    assert "base64" not in item
    assert item["path"] == ""


def test_hub_form_takes_data_uris_and_refuses_what_is_none(served: Any) -> None:
    good = served.post(f"/predict/image/{MODULE}", data={"image": f"data:image/png;base64,{b64(BARE)}"})
    bad = served.post(f"/predict/image/{MODULE}", data={"image": b64(BARE)})

    assert ast.literal_eval(good.json()["results"])[0]["data"][0]["label"] == "NO MASK"
    assert bad.json() == {"msg": "Unrecognized file type", "results": "", "status": "-1"}


@pytest.mark.parametrize("texts", [[b64(BARE), b64(EMPTY)], [b64(BARE).encode()]])
def test_hub_form_takes_the_python_text_that_its_server_evaluated(served: Any, texts: list[Any]) -> None:
    answer = served.post(f"/predict/image/{MODULE}", data={"data": str({"b64s": texts})}).json()

    results = ast.literal_eval(answer["results"])
    assert len(results) == len(texts)
    assert results[0]["data"][0]["label"] == "NO MASK"


def test_hub_form_names_the_field_that_it_cannot_read(served: Any) -> None:
    answer = served.post(f"/predict/image/{MODULE}", data={"pics": "open('b64s')"}).json()

    assert "The field 'pics' is not a JSON object" in answer["msg"]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/v1/detect", "image={}"),
        (f"/predict/{MODULE}", "images={}"),
        (f"/predict/image/{MODULE}", "image=data:image/png;base64,{}"),
        (f"/predict/image/{MODULE}", 'data={{"b64s": ["{}"]}}'),
    ],
)
def test_plus_that_a_client_left_in_an_urlencoded_form_is_a_plus(served: Any, path: str, form: str) -> None:
    # Bytes after the picture, which decoders ignore.
    text = b64(BARE + b"\0" * (-len(BARE) % 3) + b"\xfb\xef\xbe")
    assert text.endswith("++++")

    response = served.post(
        path, content=form.format(text), headers={"content-type": "application/x-www-form-urlencoded"}
    )

    assert "results" in response.json(), response.text
    assert re.search("without_mask|NO MASK", response.text)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"data": "b64s"},
        {"data": "__import__('os').abort() or 'b64s'"},
        {"data": '{"b64s": [1]}'},
        {"data": '{"b64s": []}'},
    ],
)
def test_hub_form_answers_bad_forms_in_its_own_way(served: Any, form: dict[str, str]) -> None:
    response = served.post(f"/predict/image/{MODULE}", data=form)

    assert response.status_code == 200
    assert (response.json()["status"], response.json()["results"]) == ("-1", "")
    assert response.json()["msg"]


def test_hub_form_unknown_module_and_module_list(served: Any) -> None:
    unknown = served.post("/predict/image/lac", files={"image": ("a.png", MASKED)})
    listed = served.get("/get/modules").json()["module_info"]["cv_module"]

    assert unknown.json() == {"error": "Module lac is not available."}
    assert {"tiny": "tiny"} in listed
    assert {MODULE: MODULE} in listed


HOSTILE = "a'b\"c\\u{1F637}😷\u2028\x85\ufeffnull #-*- coding: latin-1 -*- True.png"


@pytest.mark.parametrize(
    "sent",
    [
        {"files": [("image", (HOSTILE, picture)) for picture in (MASKED, EMPTY, BARE)]},
        {"files": {"image": (b"\xff\xe9'.png".decode("latin-1"), MASKED)}, "data": {"visual_result": "no"}},
        {"data": {"image": [f"data:image/png;base64,{b64(picture)}" for picture in (MASKED, EMPTY)]}},
        {"data": {"data": json.dumps({"b64s": [b64(MASKED), b64(EMPTY)]})}},
        {"data": {"data": json.dumps({"b64s": [b64(EMPTY)]})}},
    ],
    ids=["files", "files without pictures back", "data URIs", "b64s", "b64s without a face"],
)
def test_hub_results_are_one_list_for_eval_literal_eval_and_json(in_process: Any, sent: Any) -> None:
    quoted = in_process(hub_labels={"with_mask": HOSTILE})

    text = quoted.post(f"/predict/image/{MODULE}", **sent).json()["results"]

    assert isinstance(text, str)
    results = json.loads(text)
    assert results == ast.literal_eval(text)
    # No name at all: not even JSON's true, false and null, which eval() does not know.
    assert results == eval(text, {"__builtins__": {}})  # noqa: S307
    assert [item["id"] for item in results] == list(range(1, len(results) + 1))


def test_hub_results_suit_clients_that_exchange_the_quotes(served: Any) -> None:
    text = served.post(f"/predict/image/{MODULE}", files={"image": ("a.png", MASKED)}).json()["results"]

    assert json.loads(text.replace("'", '"')) == json.loads(text)


def test_hub_labels_can_be_set(in_process: Any) -> None:
    own = in_process(hub_labels={"with_mask": "口罩"})

    answer = own.post(f"/predict/{MODULE}", json={"images": [b64(MASKED)]}).json()

    assert answer["results"][0]["data"][0]["label"] == "口罩"


def test_hub_json_visualization_threshold_and_model_name(served: Any) -> None:
    wanted = {"images": [b64(MASKED)], "visualization": True, "confs_threshold": 0.6, "output_dir": "/etc"}

    answer = served.post("/predict/tiny", json=wanted).json()

    assert answer["results"][0]["base64"].startswith("data:image/jpg;base64,")
    assert answer["results"][0]["data"]


def test_hub_json_takes_multipart_too(served: Any) -> None:
    answer = served.post(
        f"/predict/{MODULE}", files=[("images", ("a.png", MASKED)), ("images", ("b.png", EMPTY))]
    )

    assert [len(item["data"]) for item in answer.json()["results"]] == [1, 0]


@pytest.mark.parametrize(
    ("fields", "faces", "drawn"),
    [
        ({"confs_threshold": "0.6", "visualization": "false"}, 1, False),
        ({"confs_threshold": "1", "visualization": "True"}, 0, True),
        ({"visualization": "0", "use_gpu": "1"}, 1, False),
    ],
)
def test_hub_json_reads_the_texts_of_a_form(
    served: Any, fields: dict[str, str], faces: int, drawn: bool
) -> None:
    answer = served.post(f"/predict/{MODULE}", files={"images": ("a.png", MASKED)}, data=fields).json()

    [item] = answer["results"]
    assert (len(item["data"]), "base64" in item) == (faces, drawn)


@pytest.mark.parametrize("threshold", ["high", "", "nan", "1.5"])
def test_hub_json_refuses_a_form_whose_threshold_is_none(served: Any, threshold: str) -> None:
    fields = {"images": b64(MASKED), "confs_threshold": threshold}

    answer = served.post(f"/predict/{MODULE}", data=fields).json()

    assert (answer["status"], "confs_threshold" in answer["msg"]) == ("101", True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"images": []}, "000"),
        ({}, "101"),
        ({"images": [b64(b"no picture")]}, "101"),
        ({"images": ["*"]}, "101"),
        ({"images": [5]}, "101"),
        ({"images": [b64(MASKED)], "paths": ["/etc/passwd"]}, "101"),
        ({"images": [b64(MASKED)], "data": {}}, "101"),
        ({"images": [b64(MASKED)], "confs_threshold": "high"}, "101"),
        ({"images": [""] * 17}, "101"),
        (None, "112"),
        ([], "112"),
    ],
)
def test_hub_json_says_200_and_its_own_status(served: Any, body: Any, status: str) -> None:
    response = served.post(f"/predict/{MODULE}", content=json.dumps(body), headers=JSON)

    assert response.status_code == 200
    assert set(response.json()) == {"msg", "results", "status"}
    assert response.json()["status"] == status
    assert bool(response.json()["msg"]) == (status != "000")


def test_hub_json_unknown_module_and_malformed_json(served: Any) -> None:
    unknown = served.post("/predict/lac", json={"texts": []}).json()
    malformed = served.post(f"/predict/{MODULE}", content=b"{", headers=JSON).json()

    assert unknown == {"msg": "Module lac is not available.", "results": "", "status": "111"}
    assert malformed["status"] == "112"


def test_hub_errors_have_real_statuses_on_request(in_process: Any) -> None:
    strict = in_process(hub_http_errors=True)

    assert strict.post("/predict/lac", json={}).status_code == 404
    assert strict.post(f"/predict/{MODULE}", json={"images": ["*"]}).status_code == 400


def test_busy_server_says_503_in_every_dialect(in_process: Any) -> None:
    ending = in_process()
    ending.engine.drain()
    picture = b64(MASKED)

    hub = ending.post(f"/predict/{MODULE}", json={"images": [picture]})
    paddlex = ending.post("/object-detection", json={"image": picture})

    assert (hub.status_code, hub.json()["status"]) == (503, "101")
    assert (paddlex.status_code, paddlex.json()["errorCode"]) == (503, 503)
    assert "retry-after" in hub.headers


@pytest.mark.parametrize(
    "params",
    [
        None,
        {"shape": [1, 3, 8, 8], "dtype": "object"},
        {"shape": [1, 3, 9, 8], "dtype": "float32"},
        {"shape": [2**40, 3, 2**40, 1], "dtype": "float32"},
        {"shape": [-1, 3, 8, 8], "dtype": "float32"},
        {"shape": [3, 8, 8], "dtype": "float32"},
        {"shape": [3, 1, 8, 8], "dtype": "float32"},
        {"shape": [0, 3, 8, 8], "dtype": "float32"},
    ],
)
def test_clas_tensor_must_fit_its_bytes(served: Any, params: Any) -> None:
    wanted = {"images": b64(np.zeros((1, 3, 8, 8), np.float32).tobytes())}
    if params:
        wanted["revert_params"] = params

    response = served.post("/predict/clas_system", json=wanted)

    assert response.status_code == 200
    assert response.json()["status"] == "101"
    assert response.json()["msg"]


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("planes_first", [True, False])
def test_clas_restores_the_picture(served: Any, dtype: str, planes_first: bool) -> None:
    picture = paint({(2, 2): "without_mask"}, 64, 64)
    values = picture
    if dtype == "float32":
        values = ((picture / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)).astype(np.float32)
    batch = np.ascontiguousarray((values.transpose(2, 0, 1) if planes_first else values)[None])
    wanted = {"images": b64(batch.tobytes()), "revert_params": {"shape": batch.shape, "dtype": dtype}}

    [top] = served.post("/predict/clas_system", json=wanted).json()["results"]["prediction"]

    assert top["label_names"][0] == "without_mask"
    assert top["scores"][0] == pytest.approx(1, abs=0.02)


def test_clas_survives_tensors_of_nan(served: Any) -> None:
    batch = np.full((1, 3, 16, 16), np.nan, np.float32)
    wanted = {"images": b64(batch.tobytes()), "revert_params": {"shape": batch.shape, "dtype": "float32"}}

    assert served.post("/predict/clas_system", json=wanted).json()["status"] == "000"


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b'{"image": 5}', b'{"image": "*"}', b'{"image": "aGVsbG8="}']
)
def test_flask_demo_errors_are_4xx_with_no_results(served: Any, body: bytes) -> None:
    response = served.post("/api/", content=body)

    assert 400 <= response.status_code < 500
    assert response.json()["results"] == []
    assert response.json()["error"]
    assert response.headers["access-control-allow-origin"] == "*"


def test_learnpaddle_errors_are_4xx_with_its_code(served: Any) -> None:
    missing = served.post("/infer", files={"image": ("a.png", MASKED)})
    damaged = served.post("/infer", files={"img": ("a.png", b"no picture")})
    unread = served.post("/upload", files={"img": ("a.png", b"no picture")})

    for response in (missing, damaged, unread):
        assert 400 <= response.status_code < 500
        assert response.json()["code"] == -1
        assert "Traceback" not in response.json()["message"]


def test_serving_pipeline_answers_lines_as_text(served: Any) -> None:
    wanted = {"key": ["image_0", "image_1"], "value": [b64(BARE), b64(EMPTY)], "logid": 10000}

    answer = served.post("/ppdet/prediction", content=json.dumps(wanted)).json()

    assert (answer["err_no"], answer["err_msg"], answer["tensors"]) == (0, "", [])
    assert answer["key"] == ["image_0", "image_1"]
    [line] = ast.literal_eval(answer["value"][0])
    class_id, score, *box = map(float, line.split())
    assert (class_id, score) == (1, pytest.approx(1, abs=1e-3))
    assert box == pytest.approx(cell_box(1, 2))
    assert answer["value"][1] == "No object detected!"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"key": ["a"], "value": []},
        {"key": ["a"], "value": ["*"]},
        {"key": [], "value": [""]},
        {"key": 1, "value": [""]},
    ],
)
def test_serving_pipeline_errors_keep_the_envelope(served: Any, body: Any) -> None:
    response = served.post("/ppdet/prediction", json=body)

    assert 400 <= response.status_code < 500
    assert set(response.json()) == {"err_no", "err_msg", "key", "value", "tensors"}
    assert response.json()["err_no"] == response.status_code


def test_paddlex_answers_with_a_drawn_picture_unless_told_not_to(served: Any) -> None:
    drawn = served.post("/object-detection", json={"image": b64(BARE)}).json()
    plain = served.post("/object-detection", json={"image": b64(BARE), "visualize": False}).json()

    assert (drawn["errorCode"], drawn["errorMsg"]) == (0, "Success")
    [found] = drawn["result"]["detectedObjects"]
    assert (found["categoryId"], found["categoryName"]) == (1, "without_mask")
    assert found["bbox"] == pytest.approx(cell_box(1, 2))
    assert base64.b64decode(drawn["result"]["image"])[:2] == b"\xff\xd8"
    assert "image" not in plain["result"]
    assert drawn["logId"] != plain["logId"]


def test_paddlex_threshold_goes_by_class_id_or_label(served: Any) -> None:
    faint = encoded_faint()

    def count(threshold: Any) -> int:
        wanted = {"image": b64(faint), "threshold": threshold, "visualize": False}
        return len(served.post("/object-detection", json=wanted).json()["result"]["detectedObjects"])

    assert count(0.1) == 1
    assert count({"1": 1.0}) == 0
    assert count({"without_mask": 1.0}) == 0
    assert count({"0": 1.0}) == 1


def encoded_faint() -> bytes:
    picture = (paint({(1, 2): "without_mask"}) * 0.8).astype(np.uint8)
    return cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"image": "http://127.0.0.1:1/a.jpg"}, 422),
        ({"image": b64(b"no picture")}, 422),
        ({"image": b64(MASKED), "threshold": 7}, 422),
        ({"image": b64(MASKED), "threshold": {"9": 0.5}}, 422),
    ],
)
def test_paddlex_errors_keep_the_envelope(served: Any, body: Any, status: int) -> None:
    response = served.post("/object-detection", json=body)

    assert response.status_code == response.json()["errorCode"] == status
    assert set(response.json()) == {"logId", "errorCode", "errorMsg"}
    assert isinstance(response.json()["errorMsg"], str)


def test_paddlex_health(served: Any) -> None:
    assert served.get("/health").json()["errorMsg"] == "Healthy"


def test_dialects_can_be_left_out(in_process: Any) -> None:
    native = in_process(dialects=("paddlex",))

    assert native.post("/api/", content=b"{}").status_code == 404
    assert native.get("/health").status_code == 200
    assert native.get("/health/live").status_code == 200


@pytest.mark.parametrize("path", ["/api/", "/infer", "/upload"])
def test_wrong_method_is_told_the_right_one(served: Any, path: str) -> None:
    response = served.get(path)

    assert (response.status_code, response.headers["allow"]) == (405, "POST")
