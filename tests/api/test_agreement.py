"""One truth: what Python, `maskdet predict` and the server say of the same picture."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import httpx
import pytest
from trained import SAMPLE

import maskdet
from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.prediction.predict import predict

PICTURES = sorted((SAMPLE / "JPEGImages").iterdir())[:6]
pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture(scope="module")
def model(tiny: Path) -> Path:
    from maskdet.detector.shipped import shipped_model, ships_model  # noqa: PLC0415

    return shipped_model() if ships_model() else tiny


def test_with_predict(model: Path) -> None:
    names = [str(path) for path in PICTURES]
    predict(Detector(load_bundle(model), threads=1), names, formats=["json", "csv"], out=Path("out"))
    entries = json.loads(Path("out/predictions.json").read_text())["pictures"]
    found = maskdet.load(model)(names)
    assert [faces.to_dict() for faces in found] == entries
    [heading, *rows] = Path("out/predictions.csv").read_text().splitlines()
    assert [row for faces in found for row in faces.to_csv().splitlines()[1:]] == rows
    assert heading == found[0].to_csv().splitlines()[0]


def test_with_the_server(model: Path) -> None:
    detector = maskdet.load(model)
    with maskdet.serve(model) as server, httpx.Client(trust_env=False, timeout=60) as client:
        for path in PICTURES:
            for most in (None, 1):
                query = {"threshold": 0.3, **({} if most is None else {"max_detections": most})}
                files = {"image": path.read_bytes()}
                answer = client.post(f"{server.url}/v1/detect", params=query, files=files)
                [entry] = answer.json()["results"]
                told = detector(path, threshold=0.3, max_detections=most).to_dict()
                del told["file"]
                assert {key: entry[key] for key in told} == told


def test_a_server_ends_with_its_block_and_can_be_started_from_any_thread(tiny: Path) -> None:
    urls: list[str] = []

    def start() -> None:
        with maskdet.serve(tiny) as server:
            urls.append(server.url)
            assert "running" in repr(server)
            assert httpx.get(f"{server.url}/health/ready", trust_env=False).status_code == 200
        assert "stopped" in repr(server)
        server.stop()

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    [url] = urls
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_a_server_that_does_not_start_says_why(tiny: Path) -> None:
    with pytest.raises(maskdet.ServingError, match="exit code 2") as caught:
        maskdet.serve(tiny, overrides=["serve.prot=1"])
    assert "serve.port" in caught.value.what
    with pytest.raises(maskdet.UsageError, match="no such model"):
        maskdet.serve("none.onnx")
