"""Parts of a network that a training does not change. Worker side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from maskdet.training.worker.compat import paddle

NOTHING = "none"
# ESNet has the older class, all others the newer one.
_NORMS = (paddle.nn.BatchNorm, paddle.nn.BatchNorm2D)


def freeze(network: Any, part: str) -> None:
    """Let no gradient reach `part` (`backbone`, or `none`), which also skips its backward pass."""
    if part != NOTHING:
        for parameter in getattr(network, part).parameters():
            parameter.stop_gradient = True


def to_training(network: Any, part: str, *, freeze_norm: bool) -> None:
    """Training mode for all but `part`, whose running statistics are kept as well.

    With `freeze_norm` all batch normalisation uses its running statistics, as in evaluation, and keeps them
    unchanged; its scales and shifts are trained.
    """
    network.train()
    if part != NOTHING:
        getattr(network, part).eval()
    if freeze_norm:
        for layer in network.sublayers():
            if isinstance(layer, _NORMS):
                layer.eval()


@contextmanager
def statistics_kept(network: Any) -> Iterator[None]:
    """Batch normalisation as the network's mode says, without any change of its running statistics."""
    layers = [layer for layer in network.sublayers() if isinstance(layer, _NORMS)]
    shares = [layer._momentum for layer in layers]
    for layer in layers:
        layer._momentum = 1.0
    try:
        yield
    finally:
        for layer, share in zip(layers, shares, strict=True):
            layer._momentum = share
