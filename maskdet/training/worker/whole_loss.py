"""The loss of a batch that runs through the network in parts. Worker side.

ppdet divides each term of a loss by a sum over what it assigns in the whole batch, so the losses of parts do
not add up to that of the batch. The parts therefore run twice: without gradients for the outputs of the head,
from which the batch's loss and its slopes at these outputs follow, and then one after another to carry the
slopes back through the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from paddle.utils import flatten, map_structure

from maskdet.training.worker.compat import paddle
from maskdet.training.worker.freezing import statistics_kept
from maskdet.training.worker.micro_batches import Batch


class WholeLoss(NamedTuple):
    """A batch's losses by name, "loss" being their sum, and the sum's slopes at the head's outputs in turn,
    each float32 [N, ...], or None where it does not depend on one.
    """

    losses: dict[str, Any]
    slopes: list[Any]


def head_outputs(network: Any, parts: Sequence[Batch]) -> Any:
    """What the loss of the batch takes, float32 and cut off from the network."""
    seen: list[Any] = []

    def keep(outputs: Any, truth: Batch) -> dict[str, Any]:
        seen.append(map_structure(lambda value: value.astype("float32"), outputs))
        return {"loss_none": paddle.zeros([])}

    with paddle.no_grad(), statistics_kept(network), _loss(network.head, keep):
        for part in parts:
            network(part)
    return map_structure(lambda *values: _leaf(paddle.concat(values)), *seen)


def whole_loss(head: Any, outputs: Any, batch: Batch) -> WholeLoss:
    """Of the batch with these `head_outputs`."""
    losses = head.get_loss(outputs, batch)
    losses["loss"] = paddle.add_n(list(losses.values()))
    return WholeLoss(losses, paddle.grad(losses["loss"], flatten(outputs), allow_unused=True))


@contextmanager
def carrying(head: Any, slopes: list[Any], rows: slice) -> Iterator[None]:
    """Let the loss of the part with these `rows` of the batch have the batch's slopes."""

    def get_loss(outputs: Any, truth: Batch) -> dict[str, Any]:
        pairs = zip(flatten(outputs), slopes, strict=True)
        terms = [(value.astype("float32") * slope[rows]).sum() for value, slope in pairs if slope is not None]
        return {"loss_carried": paddle.add_n(terms)}

    with _loss(head, get_loss):
        yield


@contextmanager
def _loss(head: Any, get_loss: Callable[[Any, Batch], dict[str, Any]]) -> Iterator[None]:
    original = head.get_loss
    head.get_loss = get_loss
    try:
        yield
    finally:
        head.get_loss = original


def _leaf(value: Any) -> Any:
    value.stop_gradient = False
    return value
