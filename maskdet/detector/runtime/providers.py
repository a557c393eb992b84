"""ONNX Runtime's execution providers for a device, with their options."""

from __future__ import annotations

import contextlib
import io
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import onnxruntime as ort

from maskdet.detector.runtime.session import GpuOptions
from maskdet.errors import EnvironmentProblem, UsageError

Provider = tuple[str, dict[str, str]]
FATAL: Final = 4
"""Severity: errors are raised as well, and warnings are about details that users cannot act on."""
CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
DOCTOR = "`maskdet doctor` says what is missing and prints the line that installs it; or use the device cpu"
_DEVICE = re.compile(r"cpu|gpu(?::(\d+))?")


def providers(device: str, gpu: GpuOptions) -> list[Provider]:
    """For cpu, gpu or gpu:N, the first of which has to run the model.

    Raises UsageError for a device that does not exist, EnvironmentProblem if this ONNX Runtime lacks it.
    """
    known = _DEVICE.fullmatch(device)
    if known is None:
        raise UsageError(f"unknown device {device!r}", "use cpu, gpu or gpu:N, such as gpu:0")
    if device == "cpu":
        return [(CPU, {})]
    number = known.group(1) or "0"
    wanted = [(CUDA, _cuda(number, gpu))]
    if gpu.engines is not None:
        wanted.insert(0, (TENSORRT, _tensorrt(number, gpu.engines)))
    available = ort.get_available_providers()
    for name, _ in wanted:
        if name not in available:
            library = name.removesuffix("ExecutionProvider")
            raise EnvironmentProblem(f"asked for {device}, but this ONNX Runtime has no {library}", DOCTOR)
    preload()
    # What concerns devices comes from the library's own logger, not from a session's.
    ort.set_default_logger_severity(FATAL)
    return wanted


@cache
def preload() -> str:
    """Load CUDA and cuDNN where pip installs them, which the linker does not search; once per process.

    What ONNX Runtime says about libraries that it cannot find, empty if it has them all.
    """
    said = io.StringIO()
    load: Any = getattr(ort, "preload_dlls", None)
    if load is not None:
        with contextlib.redirect_stdout(said):
            load()
    return "; ".join(line for line in said.getvalue().splitlines() if line.startswith("Failed"))


def _cuda(number: str, gpu: GpuOptions) -> dict[str, str]:
    options = {
        "device_id": number,
        # By default the arena doubles whenever it grows.
        "arena_extend_strategy": "kSameAsRequested",
        # The default tries all algorithms for each new batch size, while a request waits.
        "cudnn_conv_algo_search": "HEURISTIC",
        # TF32 rounds to 10 bits; thresholds and figures come from full precision.
        "use_tf32": "0",
    }
    if gpu.memory_mb is not None:
        options["gpu_mem_limit"] = str(gpu.memory_mb * 2**20)
    return options


def _tensorrt(number: str, engines: Path) -> dict[str, str]:
    try:
        engines.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder of TensorRT's engines, {engines}: {error.strerror or error}", "name another folder"
        ) from error
    return {
        "device_id": number,
        # An engine takes minutes to build and holds for this GPU, driver and TensorRT only.
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(engines),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(engines),
    }
