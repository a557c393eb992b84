"""serve with names, keys and PaddleHub's config; status; request."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from PIL import Image
from support import paint, write_tiny_bundle

from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.errors import PictureError, ServingError, StageError, UsageError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two bundles that answer differently and a picture, in the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    Image.fromarray(paint({(1, 1): "with_mask"})).save("photo.png")
    write_tiny_bundle(tmp_path / "gate.onnx")
    write_tiny_bundle(tmp_path / "hall.onnx", labels=("without_mask", "with_mask"))
    return tmp_path


@contextmanager
def served(*arguments, further=0, **environment):
    """A running `maskdet serve`: its first line and so many further ones, its address and its port."""
    command = [sys.executable, "-m", "maskdet", "serve", *arguments]
    with (
        Path("serve.log").open("w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **environment}
        ) as server,
    ):
        try:
            line = server.stdout.readline()
            found = re.search(r" at (http://127.0.0.1:(\d+))\n", line)
            assert found, Path("serve.log").read_text()
            yield "".join([line, *(server.stdout.readline() for _ in range(further))]), found[1], found[2]
        finally:
            server.terminate()
            assert server.wait(60) == 0


def test_origins_that_may_call_from_a_browser(folder):
    origins = ("https://gate.example", "https://hall.example")
    flags = [part for origin in origins for part in ("--cors", origin)]
    with served("--model", "gate.onnx", "--port", "0", *flags) as (_, url, _):
        for origin, allowed in ((origins[1], origins[1]), ("https://else.example", None)):
            answer = httpx.get(f"{url}/v1/models", headers={"Origin": origin})
            assert answer.headers.get("access-control-allow-origin") == allowed


def test_models_by_name_keys_and_workers(folder, invoke, monkeypatch):
    (folder / "keys").write_text("from-file\n")
    names = ("--model", "gate=gate.onnx", "--model", "hall=hall.onnx")
    flags = ("--port", "0", "--workers", "2", "--api-key-file", "keys")
    with served(*names, *flags, MASKDET_API_KEY="from-variable") as (line, url, port):
        assert line.startswith("serving gate=gate.onnx, hall=hall.onnx at ")
        ready = invoke("status", "--port", port).output
        assert re.search(rf"ready at {url}: process \d+, 2 workers, \d+ MB, up for ", ready)
        for key in ("from-file", "from-variable"):
            said = invoke("request", url, "photo.png", "--api-key", key).output
            assert "photo.png: ok: with_mask 1.00" in said
        with pytest.raises(ServingError, match="no valid API key"):
            invoke("request", url, "photo.png", "--api-key", "wrong")
        for word in ("from-file", "from-variable"):
            assert word not in (folder / "serve.log").read_text()
        assert f"stopped {url}" in invoke("stop", "--port", port).output
    with pytest.raises(ServingError, match="no server of yours"):
        invoke("status", "--port", port)


def test_request_tells_all_and_fails_with_one(folder, invoke, capsys):
    (folder / "pictures").mkdir()
    (folder / "photo.png").rename(folder / "pictures" / "photo.png")
    (folder / "pictures" / "torn.jpg").write_bytes(b"torn")
    with served("--model", "gate.onnx", "--port", "0") as (_, url, _):
        command = [sys.executable, "-m", "maskdet", "request", url, "pictures", "--batch-size", "2"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == PictureError.exit_code
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"pictures/photo.png: ok: with_mask 1.00 \(\d+\.\d ms\)", lines[0])
    assert lines[1].startswith("pictures/torn.jpg: not answered: ")
    assert re.fullmatch(r"1 of 2 pictures answered by bundle [0-9a-f]{12}", lines[2])
    assert re.fullmatch(r"average time \d+\.\d ms per picture, average top score 1.000", lines[3])
    assert "pictures that were not answered: 1" in done.stderr


def test_models_of_the_pipeline_file(folder, invoke):
    (folder / "deploy").mkdir()
    (folder / "gate.onnx").rename(folder / "deploy" / "gate.onnx")
    (folder / "deploy" / "pipeline.yml").write_text(
        "name: demo\ndata: {root: .}\nserve:\n  port: 0\n  models: {gate: gate.onnx, hall: ../hall.onnx}\n"
    )
    with served("-c", "deploy/pipeline.yml") as (line, url, _):
        assert line.startswith("serving gate=deploy/gate.onnx, hall=")
        assert "with_mask" in invoke("request", url, "photo.png").output


def test_hub_config_starts_the_server_and_names_what_it_ignores(folder):
    hub = {"modules_info": {"my_mask": {"predict_args": {"shrink": 0.5}}}, "port": 8866, "timeout": 30}
    (folder / "config.json").write_text(json.dumps(hub))
    with served("-c", "config.json", "--model", "gate.onnx", "--port", "0"):
        log = (folder / "serve.log").read_text()
    assert "note: config.json: timeout is ignored: " in log
    assert "note: config.json: modules_info.my_mask.predict_args.shrink is ignored: " in log


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("-c", "config.json"), UsageError, "no maskdet model"),
        (("--model", "gate=none.onnx"), UsageError, "no such model"),
        (("--model", "gate.onnx", "--model", "hall.onnx"), UsageError, "two models would have the same name"),
        (("--model", "a=gate.onnx", "--model", "a=hall.onnx"), UsageError, "the same name"),
        (("--model", "gate.onnx", "--api-key", ""), UsageError, "key is empty"),
        (("--model", "gate.onnx", "--api-key-file", "none"), UsageError, "cannot be read"),
        (("-c", "pipeline.yml"), StageError, "is missing"),
    ],
)
def test_what_cannot_be_served_is_said_before_the_port_opens(folder, invoke, arguments, error, says):
    (folder / "config.json").write_text('{"modules_info": {"my_mask": {}}}')
    if "pipeline.yml" in arguments:
        (folder / "pipeline.yml").write_text("name: demo\ndata: {root: .}\n")
    with pytest.raises(error, match=says):
        invoke("serve", *arguments)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_start_says_which_policy_is_in_force(folder, workers):
    policy = ThresholdPolicy(name="safe", parameter=0.03)
    write_tiny_bundle(folder / "gate.onnx", threshold_policy=policy, metrics={"recall.with_mask": 0.86})
    names = ("--model", "gate=gate.onnx", "--model", "hall=hall.onnx")
    with served(*names, "--port", "0", "--workers", workers, further=2) as (lines, _, _):
        _, gate, hall = lines.splitlines()
    assert gate.startswith("thresholds of gate: safe, the best mean F1 with at most 3% of bare faces")
    assert gate.endswith("on val they answer 86% of with_mask")
    assert hall.startswith("thresholds of hall: without a stated policy")
    logged = [json.loads(line) for line in Path("serve.log").read_text().splitlines()]
    ready = [one["thresholds"] for one in logged if one["message"] == "ready"]
    assert len(ready) == int(workers)
    assert all(f"thresholds of gate: {each['gate']}" == gate for each in ready)


def test_file_name_with_an_equals_sign_is_a_file(folder):
    (folder / "gate.onnx").rename(folder / "v=2.onnx")
    with served("--model", "v=2.onnx", "--port", "0") as (line, _, _):
        assert line.startswith("serving v=2.onnx at ")
