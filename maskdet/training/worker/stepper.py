"""One step of training: forward, backward, optimiser, schedule, moving average. Worker side."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

from maskdet.training.launch.failures import Diverged
from maskdet.training.worker.average import MovingAverage
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.micro_batches import Batch, split
from maskdet.training.worker.precision import FullPrecision
from maskdet.training.worker.whole_loss import WholeLoss, carrying, head_outputs, whole_loss

_REFUSED = "Illegal input"
_Result = TypeVar("_Result")


class Stepper:
    """Trains the network with one batch per call, in `parts` that share the loss of the whole batch."""

    def __init__(
        self,
        network: Any,
        parallel: Any,
        optimizer: Any,
        rate: Any,
        average: MovingAverage,
        parts: int,
        precision: FullPrecision,
    ) -> None:
        self._network, self._parallel, self._precision = network, parallel, precision
        self._optimizer, self._rate, self._average = optimizer, rate, average
        self._parts = parts

    def __call__(self, batch: Batch) -> dict[str, float]:
        """The batch's losses by name, "loss" being their sum. Raises Diverged if it is not finite."""
        losses = self._backward(batch)
        self._precision.step(self._optimizer)
        self._rate.step()
        self._optimizer.clear_grad()
        self._average.update()
        if not math.isfinite(losses["loss"]):
            raise diverged(f"the loss became {losses['loss']}", batch["epoch_id"])
        return losses

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(self._optimizer.get_lr())

    def _backward(self, batch: Batch) -> dict[str, float]:
        losses = self._at_once(batch) if self._parts == 1 else self._in_parts(batch)
        return {name: float(value) for name, value in losses.items()}

    def _at_once(self, batch: Batch) -> dict[str, Any]:
        losses: dict[str, Any] = self._forward(lambda: self._parallel(batch), batch)
        self._precision.backward(losses["loss"])
        return losses

    def _in_parts(self, batch: Batch) -> dict[str, Any]:
        parts = list(split(batch, self._parts))
        whole = self._forward(lambda: self._whole(batch, [part for part, _ in parts]), batch)
        for place, (part, rows) in enumerate(parts):
            with self._quiet(place + 1 < len(parts)), carrying(self._network.head, whole.slopes, rows):
                self._at_once(part)
        return whole.losses

    def _whole(self, batch: Batch, parts: list[Batch]) -> WholeLoss:
        return whole_loss(self._network.head, head_outputs(self._network, parts), batch)

    def _quiet(self, more: bool) -> Any:
        """Workers exchange their gradients once a step, with the last part."""
        return self._parallel.no_sync() if more and hasattr(self._parallel, "no_sync") else nullcontext()

    def _forward(self, run: Callable[[], _Result], batch: Batch) -> _Result:
        try:
            with self._precision.forward():
                return run()
        except ValueError as error:
            # Paddle's cross entropy rejects NaN before there is a loss to check. The weights may still be
            # finite: with fixed statistics nothing bounds the activations.
            if finite(self._network) and _REFUSED not in str(error):
                raise
            raise diverged("the loss became NaN", batch["epoch_id"]) from error


def finite(network: Any) -> bool:
    """True if all weights and running statistics are finite."""
    return all(bool(paddle.isfinite(value).all()) for value in network.state_dict().values())


def diverged(what: str, epoch: int) -> Diverged:
    """The error of a training that diverged in `epoch` (0-based)."""
    return Diverged(
        f"{what} in epoch {epoch + 1}",
        "lower train.learning_rate and start over with --force; the best weights so far are kept",
    )
