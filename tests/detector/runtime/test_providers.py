"""Sessions on a GPU that is only reported: what ONNX Runtime is asked for, and what its faults become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from reported_cuda import report_cuda
from support import paint

from maskdet.detector.runtime import providers
from maskdet.detector.runtime.onnx_runtime import OnnxSession
from maskdet.detector.runtime.providers import CPU, CUDA, TENSORRT
from maskdet.detector.runtime.session import GpuOptions
from maskdet.errors import EnvironmentProblem, UsageError


@pytest.mark.parametrize(("device", "number"), [("gpu", "0"), ("gpu:3", "3")])
def test_cuda_is_asked_for_the_gpu_within_its_memory(
    model_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, number: str
) -> None:
    asked = report_cuda(monkeypatch).opened
    boxes, _ = OnnxSession(model_path, device=device, gpu=GpuOptions(memory_mb=512)).run(
        paint({}, 64, 64)[None]
    )
    [[(name, options)]] = asked
    assert (name, options["device_id"], options["gpu_mem_limit"]) == (CUDA, number, str(512 * 2**20))
    assert options["arena_extend_strategy"] == "kSameAsRequested"
    assert options["use_tf32"] == "0"
    assert boxes.shape == (1, 64, 4)


def test_memory_is_unlimited_unless_told(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = report_cuda(monkeypatch).opened
    OnnxSession(model_path, device="gpu")
    assert "gpu_mem_limit" not in asked[0][0][1]


def test_tensorrt_comes_first_and_keeps_its_engines(
    model_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = report_cuda(monkeypatch).opened
    engines = tmp_path / "deep" / "engines"
    OnnxSession(model_path, device="gpu:1", gpu=GpuOptions(engines=engines))
    [[(first, options), (second, _)]] = asked
    assert (first, second) == (TENSORRT, CUDA), "what TensorRT cannot do runs on CUDA"
    assert (options["device_id"], options["trt_engine_cache_path"]) == ("1", str(engines))
    assert options["trt_engine_cache_enable"] == "1"
    assert engines.is_dir()


def test_a_folder_of_engines_that_cannot_be_made(
    model_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report_cuda(monkeypatch)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"engines.*file/engines"):
        OnnxSession(model_path, device="gpu", gpu=GpuOptions(engines=tmp_path / "file" / "engines"))


@pytest.mark.parametrize(
    ("lists", "engines", "lacks"), [([CPU], None, "CUDA"), ([CUDA, CPU], Path("engines"), "Tensorrt")]
)
def test_a_build_without_the_provider_is_said(
    model_path: Path, monkeypatch: pytest.MonkeyPatch, lists: list[str], engines: Path | None, lacks: str
) -> None:
    report_cuda(monkeypatch, lists=lists)
    monkeypatch.chdir(model_path.parent)
    with pytest.raises(EnvironmentProblem, match=rf"this ONNX Runtime has no {lacks}.*\n.*maskdet doctor"):
        OnnxSession(model_path, device="gpu", gpu=GpuOptions(engines=engines))


def test_missing_cuda_libraries_are_named(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime prints them, and then runs on the CPU."""
    session = report_cuda(monkeypatch)
    monkeypatch.setattr(session, "get_providers", lambda self: [CPU])

    def preload_dlls() -> None:
        print("Failed to load libcublasLt.so.13: cannot open shared object file")  # noqa: T201
        print("Please follow the page to install CUDA.")  # noqa: T201

    monkeypatch.setattr(ort, "preload_dlls", preload_dlls, raising=False)
    with pytest.raises(EnvironmentProblem, match=rf"\({CUDA}\), but .* on {CPU}: Failed to load libcublasLt"):
        OnnxSession(model_path, device="gpu")
    assert "Please follow" not in providers.preload()


def test_old_releases_cannot_preload(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report_cuda(monkeypatch)
    monkeypatch.delattr(ort, "preload_dlls", raising=False)
    OnnxSession(model_path, device="gpu")
    assert providers.preload() == ""


def test_a_model_that_the_gpu_refuses_is_no_fault_of_the_file(
    model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = report_cuda(monkeypatch)

    def refuse(self: Any, *arguments: Any, **options: Any) -> None:
        raise RuntimeError("Please install TensorRT libraries")

    monkeypatch.setattr(session, "__init__", refuse)
    with pytest.raises(EnvironmentProblem, match="cannot be loaded on gpu: Please install TensorRT"):
        OnnxSession(model_path, device="gpu")


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_failing_run_does_not_move_to_the_cpu_in_silence(
    model_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    if device == "gpu":
        report_cuda(monkeypatch)
    session = OnnxSession(model_path, device=device)
    assert session.run(np.zeros((2, 64, 64, 3), np.uint8))[0].shape == (2, 64, 4)
    assert session._session._enable_fallback is False
