"""Which inference libraries there are, and opening a session with the one named by a device."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from maskdet.detector.runtime.session import WHOLE_GPU, GpuOptions, Runtime, Session
from maskdet.errors import UsageError

RUNTIMES: Final = ("onnx_runtime",)
"""Modules of this folder, each with an `open_session`, imported on demand. The first is the default."""


def open_session(
    model: bytes, *, threads: int = 0, device: str = "cpu", gpu: GpuOptions = WHOLE_GPU
) -> Session:
    """`device`: cpu, gpu or gpu:N with the default library, or LIBRARY/DEVICE. Errors as for `Runtime`."""
    library, _, own = device.rpartition("/")
    name = library or RUNTIMES[0]
    if name not in RUNTIMES:
        raise UsageError(
            f"there is no runtime {name!r} for the device {device!r}", f"use {', '.join(RUNTIMES)}"
        )
    runtime: Runtime = import_module(f"maskdet.detector.runtime.{name}").open_session
    return runtime(model, threads=threads, device=own, gpu=gpu)


def shares_cores(device: str) -> bool:
    """Whether a session on `device` computes on the cores of this process."""
    return device.rpartition("/")[2] == "cpu"
