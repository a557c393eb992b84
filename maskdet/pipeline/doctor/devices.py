"""CPU and GPUs as the driver, Paddle and ONNX Runtime have them, each by computing something."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from maskdet.errors import MaskdetError
from maskdet.pipeline.doctor.diagnosis import Diagnosis
from maskdet.pipeline.doctor.driver import Driver
from maskdet.pipeline.doctor.installs import onnxruntime_lines, paddle_lines
from maskdet.pipeline.doctor.packages import installed_versions

GPU_BUILD = "onnxruntime-gpu"
SAME = 0.001
"""Largest difference of a score between devices; that of `export.score_tolerance`."""


def check_devices(python: Path | None, driver: Driver | None) -> Iterator[Diagnosis]:
    """`python` is the interpreter that trains, None where nothing is trained."""
    if driver is not None:
        yield Diagnosis("ok", "GPU", f"{driver}: {', '.join(driver.gpus) or 'names unknown'}")
    if python is not None:
        yield _paddle(python, driver)
    yield from _onnxruntime(driver)


def _paddle(python: Path, driver: Driver | None) -> Diagnosis:
    from maskdet.training.launch.placement import trial

    try:
        found = trial(python)
    except MaskdetError as error:
        return Diagnosis("fault", "Paddle", error.what, error.hint or "install the tested packages")
    text = _said(found)
    if driver is None or found["gpus"]:
        return Diagnosis("ok", "Paddle", text)
    if found["cuda"]:
        hint = f"unset CUDA_VISIBLE_DEVICES if it hides the GPUs, or: {paddle_lines(driver)}"
        return Diagnosis("fault", "Paddle", f"{text}; it sees no GPU", hint)
    return Diagnosis("note", "Paddle", text, f"to train on the GPU: {paddle_lines(driver)}")


def _said(found: dict[str, Any]) -> str:
    build = f"CUDA {found['cuda']} and cuDNN {found['cudnn']}" if found["cuda"] else "CPU only"
    gpus = zip(found["gpus"], found["details"], strict=True)
    named = [f"{name} ({one['memory_mb'] / 1024:.0f} GiB, {one['capability']})" for name, one in gpus]
    computed = ", ".join(named) or "the CPU"
    return f"{found['version']}, built for {build}: computes on {computed}"


def _onnxruntime(driver: Driver | None) -> Iterator[Diagnosis]:
    if find_spec("onnxruntime") is None:
        return
    import onnxruntime

    installed = installed_versions()
    if {"onnxruntime", GPU_BUILD} <= installed.keys():
        return  # already a fault of the packages: which files are left is chance
    package = GPU_BUILD if GPU_BUILD in installed else "onnxruntime"
    text = f"{package} {onnxruntime.__version__}"
    if driver is None:
        yield Diagnosis("ok", "ONNX Runtime", f"{text}: computes on the CPU")
    elif package != GPU_BUILD:
        hint = f"to serve on the GPU: {onnxruntime_lines(driver)}"
        yield Diagnosis("note", "ONNX Runtime", f"{text}: CPU only", hint)
    else:
        yield _tried(text, driver)


def _tried(text: str, driver: Driver) -> Diagnosis:
    try:
        difference = _score_difference()
    except MaskdetError as error:
        return Diagnosis("fault", "ONNX Runtime", f"{text}: {error.what}", onnxruntime_lines(driver))
    # Written this way round since NaN is not near.
    if not difference <= SAME:
        what = f"{text}: scores on the GPU differ from the CPU's by {difference:.2g}"
        return Diagnosis("fault", "ONNX Runtime", what, onnxruntime_lines(driver))
    return Diagnosis("ok", "ONNX Runtime", f"{text}: CUDA and cuDNN compute, scores within {difference:.1g}")


def _score_difference() -> float:
    """The largest, of the shipped model on the first GPU and on the CPU, for noise."""
    import numpy as np

    from maskdet.detector.bundle import load_bundle
    from maskdet.detector.runtime.registry import open_session
    from maskdet.detector.shipped import shipped_model

    bundle = load_bundle(shipped_model())
    noise = np.random.default_rng(0).integers(0, 256, (1, *bundle.meta.input_size, 3), np.uint8)
    _, expected = bundle.session.run(noise)
    _, scores = open_session(bundle.model, device="gpu").run(noise)
    return float(np.abs(scores - expected).max())
