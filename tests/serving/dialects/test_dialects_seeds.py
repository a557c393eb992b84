"""The client code of the five seed documents, retyped; only hosts, file names and printing differ."""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import requests
from support import LABELS, cell_box, paint

CELLS = {(1, 2): "with_mask", (4, 5): "without_mask"}


@pytest.fixture(scope="module")
def url(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory, start_server: Any) -> Iterator[str]:
    with start_server(tiny_bundle, tmp_path_factory.mktemp("runtime")) as server:
        yield server.url


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "family_mask.jpg", tmp_path / "girl's 口罩.jpg"]
    for path, cells in zip(paths, (CELLS, {(3, 3): "with_mask"}), strict=True):
        done, data = cv2.imencode(".jpg", paint(cells)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
        assert done
        path.write_bytes(data.tobytes())
    return paths


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    path = tmp_path / "nobody.png"
    assert cv2.imwrite(str(path), paint({}))
    return path


def near(face: dict[str, Any], row: int, column: int, within: float = 0.5) -> bool:
    found = (face["left"], face["top"], face["right"], face["bottom"])
    return found == pytest.approx(cell_box(row, column), abs=within)


def test_seed_000_files(url: str, pictures: list[Path], tmp_path: Path) -> None:
    file_list = [str(path) for path in pictures]
    files = [("image", (open(item, "rb"))) for item in file_list]  # noqa: PTH123, SIM115
    r = requests.post(url=f"{url}/predict/image/pyramidbox_lite_server_mask", files=files, timeout=30)
    for _, file in files:
        file.close()

    results = eval(r.json()["results"])  # noqa: S307

    assert [item["id"] for item in results] == [1, 2]
    assert [item["path"] for item in results] == [path.name for path in pictures]
    assert list(results[0]["data"][0]) == ["label", "left", "right", "top", "bottom", "confidence"]
    by_label = {face["label"]: face for face in results[0]["data"]}
    assert set(by_label) == {"MASK", "NO MASK"}
    assert near(by_label["MASK"], 1, 2)
    assert near(by_label["NO MASK"], 4, 5)
    assert all(isinstance(by_label["MASK"][key], float) for key in ("left", "confidence"))
    for number, item in enumerate(results):
        output_path = tmp_path / f"out{number}.jpg"
        output_path.write_bytes(base64.b64decode(item["base64"].split(",")[-1]))
        assert cv2.imread(str(output_path)).shape == (256, 256, 3)
    assert results[0]["base64"].startswith("data:image/jpg;base64,")
    # The same text serves those who did not trust eval.
    assert ast.literal_eval(r.json()["results"]) == json.loads(r.json()["results"]) == results
    assert r.json()["status"] == "0"


def test_seed_000_b64s(url: str, pictures: list[Path]) -> None:
    with open(file=pictures[0], mode="rb") as fp:  # noqa: PTH123
        base64_data = base64.b64encode(fp.read())
    base64_data = str(base64_data, encoding="utf8")
    data = {"b64s": [base64_data]}
    data = {"data": json.dumps(data)}
    r = requests.post(url=f"{url}/predict/image/pyramidbox_lite_server_mask", data=data, timeout=30)

    results = eval(r.json()["results"])  # noqa: S307

    assert sorted(face["label"] for face in results[0]["data"]) == ["MASK", "NO MASK"]
    assert results[0]["path"] == ""
    assert "base64" not in results[0]


def test_seed_000_face_less_picture_keeps_the_client_alive(
    url: str, empty: Path, pictures: list[Path]
) -> None:
    target = f"{url}/predict/image/pyramidbox_lite_server_mask"
    with empty.open("rb") as nobody, pictures[0].open("rb") as family:
        r = requests.post(url=target, files=[("image", nobody), ("image", family)], timeout=30)

    first, second = eval(r.json()["results"])  # noqa: S307

    assert (first["data"], first["id"]) == ("No face.", 1)
    assert first["base64"]
    assert (len(second["data"]), second["id"]) == (2, 2)


def test_seed_001_test_hubserving(url: str, pictures: list[Path]) -> None:
    img = cv2.imread(str(pictures[1]))[:, :, ::-1]
    img = cv2.resize(img, (256, 256))[16:240, 16:240]
    img = (img.astype("float32") / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    batch = np.array([img.transpose(2, 0, 1).astype("float32")] * 3)
    data = {
        "images": base64.b64encode(batch).decode("utf8"),
        "revert_params": {"shape": batch.shape, "dtype": str(batch.dtype)},
    }
    headers = {"Content-type": "application/json"}
    r = requests.post(url=f"{url}/predict/clas_system", headers=headers, data=json.dumps(data), timeout=30)

    assert r.json()["status"] == "000"
    results = r.json()["results"]
    assert len(results["prediction"]) == 3
    assert results["elapse"] > 0
    top = results["prediction"][0]
    assert top["class_ids"][0] == 0
    assert top["label_names"][0] == "with_mask"
    assert top["scores"][0] > 0.5
    assert top["scores"] == sorted(top["scores"], reverse=True)


def test_seed_001_result_list_of_the_first_release(url: str, pictures: list[Path]) -> None:
    files = [base64.b64encode(path.read_bytes()).decode() for path in pictures]

    r = requests.post(f"{url}/predict/clas_system", json={"images": files, "top_k": 2}, timeout=30)

    ids, scores, seconds = r.json()["results"][0]
    assert len(ids) == len(scores) == 2
    assert isinstance(seconds, float)
    assert len(r.json()["results"]) == 2


def test_seed_002_hub_2_json(url: str, pictures: list[Path]) -> None:
    images = [base64.b64encode(path.read_bytes()).decode() for path in pictures]
    data = {"images": images, "batch_size": 1}
    headers = {"Content-Type": "application/json"}
    target = f"{url}/predict/pyramidbox_lite_server_mask"

    r = requests.post(url=target, headers=headers, data=json.dumps(data), timeout=30)

    body = r.json()
    assert (body["msg"], body["status"]) == ("", "000")
    assert [len(item["data"]) for item in body["results"]] == [2, 1]
    face = body["results"][1]["data"][0]
    assert (face["label"], near(face, 3, 3, within=1)) == ("MASK", True)
    assert all(type(face[key]) is int for key in ("left", "top", "right", "bottom"))
    assert body["results"][0]["path"].startswith("ndarray_time=")
    assert "base64" not in body["results"][0]
    assert r.text.startswith('{"msg":"","results":[{"data":[{"bottom":')
    assert r.text.endswith("\n")


def test_seed_003_page(url: str, pictures: list[Path]) -> None:
    page = {"origin": "http://localhost:8000"}
    preflight = requests.options(
        f"{url}/api/",
        headers={
            **page,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
        },
        timeout=30,
    )
    uri = "data:image/jpeg;base64," + base64.b64encode(pictures[0].read_bytes()).decode()
    r = requests.post(f"{url}/api/", json={"image": uri}, headers=page, timeout=30)

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "content-type" in preflight.headers["access-control-allow-headers"]
    assert r.headers["access-control-allow-origin"] == "*"
    by_name = {one["name"]: one for one in r.json()["results"]}
    assert set(by_name) == {"with_mask", "without_mask"}
    assert re.fullmatch(r"[01]\.\d\d", by_name["with_mask"]["conf"])
    assert by_name["with_mask"]["bbox"] == pytest.approx(list(cell_box(1, 2)), abs=1)


def test_seed_003_body_is_read_whatever_its_content_type(url: str, empty: Path) -> None:
    bare = base64.b64encode(empty.read_bytes()).decode()

    r = requests.post(f"{url}/api/", data=json.dumps({"image": bare}), timeout=30)

    assert r.json() == {"results": []}


def test_seed_004_form(url: str, pictures: list[Path], empty: Path) -> None:
    with pictures[1].open("rb") as img:
        r = requests.post(f"{url}/infer", files={"img": img}, timeout=30)
    with empty.open("rb") as img:
        nobody = requests.post(f"{url}/infer", files={"img": ("图片", img)}, timeout=30)
    with pictures[0].open("rb") as img:
        uploaded = requests.post(f"{url}/upload", files={"img": img}, timeout=30)

    assert (r.json()["code"], r.json()["message"]) == (0, "success")
    assert isinstance(r.json()["data"], str)
    data = json.loads(r.json()["data"])
    assert LABELS[data["result"]] == "with_mask"
    assert re.search(r'"possibility":[01]\.\d{6}}$', r.json()["data"])
    assert json.loads(nobody.json()["data"]) == {"result": -1, "possibility": 0.0}
    assert (uploaded.status_code, uploaded.text) == (200, "success")
    assert uploaded.headers["content-type"].startswith("text/html")
    assert r.headers["access-control-allow-origin"] == "*"
