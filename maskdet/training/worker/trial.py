"""Whether Paddle computes on a device: a convolution with its gradient, next to the CPU's. Worker side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from maskdet.errors import EnvironmentProblem
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.probe import seen

TOLERANCE = 0.01
"""Largest relative difference from the CPU: TF32 and the order of sums, but no wrong kernels."""


def run(job: dict[str, Any], report: Callable[..., None]) -> None:
    """Job keys: devices, Paddle's names for those to try; none: every GPU, or else the CPU.

    Reports what `probe` does, "tried" (the devices), and "details" of each GPU: "memory_mb", "capability".
    """
    machine = seen()
    gpus = [f"gpu:{number}" for number in range(len(machine["gpus"]))]
    devices = job["devices"] or gpus or ["cpu"]
    expected = _gradient("cpu")
    for device in devices:
        _require_near(_gradient(device), expected, device)
    report("done", **machine, tried=devices, details=[_details(number) for number in range(len(gpus))])


def _gradient(device: str) -> Any:
    """Of a small convolution's weights."""
    paddle.set_device(device)
    draw = np.random.default_rng(0)
    picture = paddle.to_tensor(draw.normal(size=(2, 3, 32, 32)).astype(np.float32))
    weights = paddle.to_tensor(draw.normal(size=(8, 3, 3, 3)).astype(np.float32), stop_gradient=False)
    paddle.nn.functional.conv2d(picture, weights, padding=1).tanh().sum().backward()
    return weights.grad.numpy()


def _require_near(found: Any, expected: Any, device: str) -> None:
    largest = float(np.abs(found - expected).max() / np.abs(expected).max())
    # Written this way round since NaN is not near.
    if not largest <= TOLERANCE:
        raise EnvironmentProblem(
            f"Paddle computes wrongly on {device}: a gradient is off by {largest:.2g} of its largest value",
            "install the build of Paddle for this GPU and driver",
        )


def _details(number: int) -> dict[str, Any]:
    properties = paddle.device.cuda.get_device_properties(number)
    return {
        "memory_mb": int(properties.total_memory) // 2**20,
        "capability": ".".join(map(str, paddle.device.cuda.get_device_capability(number))),
    }
