"""NVIDIA's own HTTP client against the real server."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support import cell_box, paint

triton = pytest.importorskip("tritonclient.http", reason="tritonclient[http] is not installed")

PICTURE = paint({(1, 2): "with_mask", (4, 5): "without_mask"})
PNG = cv2.imencode(".png", PICTURE[:, :, ::-1])[1].tobytes()


@pytest.fixture(scope="module")
def client(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory, start_server: Any) -> Any:
    with start_server(tiny_bundle, tmp_path_factory.mktemp("runtime")) as server:
        client = triton.InferenceServerClient(server.url.removeprefix("http://"))
        yield client
        client.close()


def test_client_finds_server_and_model_ready(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("tiny")
    assert not client.is_model_ready("other")
    assert client.get_model_metadata("tiny")["inputs"][0]["datatype"] == "BYTES"
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]


@pytest.mark.parametrize("binary", [True, False])
def test_client_detects_in_files(client: Any, binary: bool) -> None:
    image = triton.InferInput("image", [2, 1], "BYTES")
    content = PNG
    if not binary:
        # The client writes BYTES as text into JSON, so a picture must be base64 there.
        content = base64.b64encode(PNG)
    image.set_data_from_numpy(np.array([[content], [content]], dtype=np.object_), binary_data=binary)
    outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("bbox", "bbox_num")]

    result = client.infer("tiny", [image], outputs=outputs, request_id="r7")

    assert result.as_numpy("bbox_num").tolist() == [2, 2]
    boxes = result.as_numpy("bbox")
    assert boxes.shape == (4, 6)
    assert boxes[0] == pytest.approx([0, 1, *cell_box(1, 2)], abs=0.01)
    assert result.get_response()["id"] == "r7"


def test_client_detects_in_pixels_with_default_outputs(client: Any) -> None:
    image = triton.InferInput("image", [1, *PICTURE.shape], "UINT8")
    image.set_data_from_numpy(PICTURE[None])

    result = client.infer("tiny", [image])

    assert result.as_numpy("bbox_num").tolist() == [2]


def test_client_reads_the_error(client: Any) -> None:
    image = triton.InferInput("image", [1], "BYTES")
    image.set_data_from_numpy(np.array([b"no picture"], dtype=np.object_))

    with pytest.raises(triton.InferenceServerException, match="not a picture"):
        client.infer("tiny", [image])
