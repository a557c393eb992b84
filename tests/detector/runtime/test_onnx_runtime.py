from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from support import paint

from maskdet.detector.runtime.onnx_runtime import OnnxSession
from maskdet.errors import BundleError, EnvironmentProblem, UsageError


@pytest.mark.parametrize("source", ["path", "bytes"])
@pytest.mark.parametrize("count", [1, 5])
def test_any_batch_size_runs(model_path: Path, source: str, count: int) -> None:
    session = OnnxSession(model_path if source == "path" else model_path.read_bytes(), threads=1)
    boxes, scores = session.run(np.stack([paint({(1, 2): "with_mask"}, 64, 64)] * count))
    assert boxes.shape == (count, 64, 4)
    assert scores.shape == (count, 64, 3)
    assert (boxes.dtype, scores.dtype) == (np.float32, np.float32)
    assert scores[:, :, 0].argmax(axis=1).tolist() == [10] * count


def test_bytes_that_are_no_model() -> None:
    with pytest.raises(BundleError, match="cannot be loaded") as caught:
        OnnxSession(b"not a model", threads=1)
    assert caught.value.hint


def test_a_batch_of_the_wrong_size(model_path: Path) -> None:
    with pytest.raises(BundleError, match="failed on a batch of 1x32x32x3"):
        OnnxSession(model_path, threads=1).run(np.zeros((1, 32, 32, 3), np.uint8))


@pytest.mark.parametrize("device", ["cuda", "gpu:", "gpu:x", "CPU", ""])
def test_unknown_devices(model_path: Path, device: str) -> None:
    with pytest.raises(UsageError, match="unknown device"):
        OnnxSession(model_path, threads=1, device=device)


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="this ONNX Runtime has CUDA"
)
def test_a_missing_gpu_is_said(model_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="asked for gpu:1"):
        OnnxSession(model_path, threads=1, device="gpu:1")


def test_a_silent_fall_back_is_said(model_path: Path) -> None:
    session = OnnxSession(model_path, threads=1)
    with pytest.raises(EnvironmentProblem, match=r"asked for gpu .* runs on CPUExecutionProvider"):
        session._require("CUDAExecutionProvider", "gpu")


def test_the_library_gathers_no_usage_data(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    code = "import maskdet.detector.runtime.onnx_runtime"
    subprocess.run([sys.executable, "-c", code], env={**env, "HOME": str(tmp_path)}, check=True)
    # It would keep an id of this machine and what is still to be sent.
    assert list(tmp_path.iterdir()) == []
