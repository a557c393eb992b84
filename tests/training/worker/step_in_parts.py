"""Prints, as JSON, how a step in 2 and in 4 parts differs from the whole one: CONFIG.

Of both assigners, with fixed statistics: the largest difference of a gradient, as a share of the largest
gradient, and the losses. With statistics of the pictures: how often a step in parts updates the running ones.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from maskdet.training.worker.average import MovingAverage
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.difficult import IGNORED, ignore_difficult
from maskdet.training.worker.freezing import NOTHING, to_training
from maskdet.training.worker.network import build_network, load_config
from maskdet.training.worker.precision import FullPrecision
from maskdet.training.worker.stepper import Stepper

SIDE = 128
LATE = 10**6
"""An epoch in which every network has its last assigner."""


def main(config_file: Path) -> dict[str, Any]:
    paddle.seed(0)
    network = build_network(load_config(config_file))
    ignore_difficult(network.head)
    to_training(network, NOTHING, freeze_norm=True)
    epochs = [_compared(network, _batch(epoch)) for epoch in (0, LATE)]
    to_training(network, NOTHING, freeze_norm=False)
    return {"epochs": epochs, "shift": _shift(network)}


def _compared(network: Any, batch: dict[str, Any]) -> dict[str, Any]:
    whole, *parted = [_step(network, batch, parts) for parts in (1, 2, 4)]
    most = max(np.abs(slope).max() for slope in whole.slopes)
    return {
        "losses": [each.losses for each in (whole, *parted)],
        "differ": [
            float(max(np.abs(a - b).max() for a, b in zip(whole.slopes, each.slopes, strict=True)) / most)
            for each in parted
        ],
    }


def _step(network: Any, batch: dict[str, Any], parts: int) -> SimpleNamespace:
    slopes: list[Any] = []

    def keep() -> None:
        slopes.extend(each.grad.numpy() for each in network.parameters() if each.grad is not None)

    optimizer = SimpleNamespace(step=keep, clear_grad=network.clear_gradients)
    rate = SimpleNamespace(step=lambda: None)
    step = Stepper(network, network, optimizer, rate, MovingAverage(network), parts, FullPrecision())
    return SimpleNamespace(losses=step(batch), slopes=slopes)


def _shift(network: Any) -> list[float]:
    """Of the first running mean, by a step of one picture four times at once, and in two parts."""
    batch = _batch(0)
    batch["image"] = batch["image"][:1].tile([4, 1, 1, 1])
    name = next(name for name in network.state_dict() if name.endswith("_mean"))
    told = []
    for parts in (1, 2):
        network.state_dict()[name].set_value(paddle.zeros_like(network.state_dict()[name]))
        _step(network, batch, parts)
        told.append(float(network.state_dict()[name].abs().max()))
    return told


def _batch(epoch: int) -> dict[str, Any]:
    """Four pictures with three, one, no and two faces, of which the last has a difficult one."""
    draw = np.random.default_rng(1)
    boxes = np.zeros((4, 3, 4), np.float32)
    there = np.zeros((4, 3, 1), np.float32)
    for picture, faces in enumerate((3, 1, 0, 2)):
        boxes[picture, :faces] = np.array([[0, 8, 36, 40], [40, 8, 76, 48], [80, 8, 116, 56]])[:faces]
        there[picture, :faces] = 1
    ignored = np.zeros((4, 1, 4), np.float32)
    ignored[3, 0] = (10, 60, 110, 120)
    arrays = {
        "im_id": np.arange(4).reshape(4, 1),
        "image": draw.normal(size=(4, 3, SIDE, SIDE)).astype(np.float32),
        "gt_bbox": boxes,
        "gt_class": np.zeros((4, 3, 1), np.int32),
        "pad_gt_mask": there,
        "gt_score": there,
        IGNORED: ignored,
    }
    return {**{name: paddle.to_tensor(value) for name, value in arrays.items()}, "epoch_id": epoch}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))  # noqa: T201
