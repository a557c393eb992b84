"""The arithmetic of a training step: float32, or mixed with float16 and a scaled loss. Worker side."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.errors import TrainingError
from maskdet.training.worker.compat import paddle

FIRST_SCALE = 1024.0
"""Of the loss; PaddleDetection's value. It doubles after 1000 good steps and is halved by a bad one."""


class FullPrecision:
    """Float32 throughout."""

    def forward(self) -> AbstractContextManager[None]:
        """The context of a forward pass."""
        return nullcontext()

    def backward(self, loss: Any) -> None:
        """Add the gradients of a loss to those there are."""
        loss.backward()

    def step(self, optimizer: Any) -> None:
        """Let the optimiser use the gradients."""
        optimizer.step()

    def state(self) -> dict[str, NDArray[Any]]:
        """What a resumed training needs."""
        return {}

    def resume(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from what `state` returned."""


class MixedPrecision(FullPrecision):
    """Paddle's automatic mixed precision: the network in float16 where that is safe, its loss in float32.

    A step whose gradients overflow is left out, and the loss is scaled less. Weights stay float32.
    """

    def __init__(self, network: Any, level: str) -> None:
        """`level`: PaddleDetection's amp_level. Raises TrainingError if the GPU has no float16."""
        if not _computes_in_float16():
            raise TrainingError(
                f"train.amp: {paddle.get_device()} does not compute in float16",
                "a GPU of compute capability 7.0 or higher does; set train.amp: false",
            )
        self._level = level
        self._scaler = paddle.amp.GradScaler(init_loss_scaling=FIRST_SCALE)
        _in_full(network.head)

    def forward(self) -> AbstractContextManager[None]:
        context: AbstractContextManager[None] = paddle.amp.auto_cast(level=self._level, dtype="float16")
        return context

    def backward(self, loss: Any) -> None:
        self._scaler.scale(loss).backward()

    def step(self, optimizer: Any) -> None:
        self._scaler.step(optimizer)
        self._scaler.update()

    def state(self) -> dict[str, NDArray[Any]]:
        now = self._scaler.state_dict()
        counts = np.array([now["incr_count"], now["decr_count"]], np.int64)
        return {"scale": np.asarray(now["scale"], np.float32), "counts": counts}

    def resume(self, arrays: dict[str, NDArray[Any]]) -> None:
        good, bad = (int(count) for count in arrays["counts"])
        kept = {"scale": arrays["scale"], "incr_count": good, "decr_count": bad}
        self._scaler.load_state_dict({**self._scaler.state_dict(), **kept})


def precision_of(config: dict[str, Any], network: Any) -> FullPrecision:
    """As the configuration's `amp` and `amp_level` say. Raises as `MixedPrecision`."""
    return MixedPrecision(network, config["amp_level"]) if config.get("amp") else FullPrecision()


def _computes_in_float16() -> bool:
    """As `auto_cast` needs it, which else only warns and computes in float32."""
    on_gpu = str(paddle.get_device()).startswith("gpu")
    return on_gpu and int(paddle.device.cuda.get_device_capability()[0]) >= 7


def _in_full(head: Any) -> None:
    """Let assigners and losses compute in float32: float16 has no room for areas and small scores."""
    original = head.get_loss

    def get_loss(outputs: Any, truth: Any) -> Any:
        with paddle.amp.auto_cast(enable=False):
            return original(_float32(outputs), truth)

    head.get_loss = get_loss


def _float32(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_float32(each) for each in value)
    return value.astype("float32") if value.dtype == paddle.float16 else value
