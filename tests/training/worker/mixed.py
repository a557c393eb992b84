"""Mixed precision on a CPU that Paddle is told is a GPU: the loss is really scaled, float16 is not used.

Prints JSON: whether steps with a scaled loss equal plain ones, what an overflow does, what a resume keeps.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import paddle

from maskdet.errors import TrainingError
from maskdet.training.worker import precision
from maskdet.training.worker.average import MovingAverage
from maskdet.training.worker.network import build_network, load_config
from maskdet.training.worker.precision import FullPrecision, MixedPrecision, precision_of
from maskdet.training.worker.stepper import Stepper

SIDE = 64


def main(config_file: Path) -> dict[str, Any]:
    config = load_config(config_file)
    network = build_network(config)
    start = {name: value.numpy().copy() for name, value in network.state_dict().items()}
    refused = [_refusal(config, network)]
    _pretend((6, 1))
    refused.append(_refusal(config, network))
    _pretend((7, 0))
    plain = _trained(network, start, mixed=False)
    scaled = _trained(network, start, mixed=True)
    again = MixedPrecision(network, "O1")
    again.resume(scaled.precision.state())
    return {
        "refused": refused,
        "same": all(np.array_equal(a, b) for a, b in zip(plain.weights, scaled.weights, strict=True)),
        "losses": [plain.losses, scaled.losses],
        "asked": _ASKED[0],
        "resumed": [float(again.state()["scale"][0]), again.state()["counts"].tolist()],
        "overflow": _overflow(network, scaled),
        "float16": _loss_of_float16(network),
        "full": type(precision_of(config, network)) is FullPrecision,
    }


_ASKED: list[dict[str, Any]] = []
_AUTO_CAST = paddle.amp.auto_cast


def _refusal(config: dict[str, Any], network: Any) -> str:
    try:
        precision_of({**config, "amp": True, "amp_level": "O1"}, network)
    except TrainingError as error:
        return error.what
    return ""


def _pretend(capability: tuple[int, int]) -> None:
    """What Paddle reports of a GPU; its context itself makes no difference on the CPU, and warns."""
    paddle.get_device = lambda: "gpu:0"
    paddle.device.cuda.get_device_capability = lambda: capability
    place = SimpleNamespace(is_gpu_place=lambda: True)
    paddle.amp.grad_scaler._dygraph_tracer = lambda: SimpleNamespace(_expected_place=place)

    def auto_cast(**options: Any) -> Any:
        _ASKED.append(options)
        return _AUTO_CAST(**options)

    precision.paddle.amp.auto_cast = auto_cast
    warnings.simplefilter("ignore")


def _trained(network: Any, start: dict[str, Any], *, mixed: bool) -> SimpleNamespace:
    network.set_state_dict(start)
    network.train()
    chosen = MixedPrecision(network, "O1") if mixed else FullPrecision()
    optimizer = paddle.optimizer.Momentum(0.01, parameters=network.parameters())
    rate = SimpleNamespace(step=lambda: None)
    step = Stepper(network, network, optimizer, rate, MovingAverage(network), 2, chosen)
    losses = [step(_batch())["loss"] for _ in range(2)]
    return SimpleNamespace(precision=chosen, losses=losses, optimizer=optimizer, weights=_weights(network))


def _weights(network: Any) -> list[Any]:
    return [value.numpy().copy() for value in network.parameters()]


def _batch() -> dict[str, Any]:
    draw = np.random.default_rng(1)
    boxes = np.array([[[8, 8, 40, 40]]] * 4, np.float32)
    arrays = {
        "im_id": np.arange(4).reshape(4, 1),
        "image": draw.normal(size=(4, 3, SIDE, SIDE)).astype(np.float32),
        "gt_bbox": boxes,
        "gt_class": np.zeros((4, 1, 1), np.int32),
        "pad_gt_mask": np.ones((4, 1, 1), np.float32),
        "gt_score": np.ones((4, 1, 1), np.float32),
    }
    return {**{name: paddle.to_tensor(value) for name, value in arrays.items()}, "epoch_id": 0}


def _overflow(network: Any, run: SimpleNamespace) -> dict[str, Any]:
    """A step whose gradients are infinite."""
    before = _weights(network)
    run.optimizer.clear_grad()
    run.precision.backward((network.parameters()[0] * float("inf")).sum())
    run.precision.step(run.optimizer)
    kept = all(np.array_equal(a, b) for a, b in zip(before, _weights(network), strict=True))
    return {"kept": kept, "scale": float(run.precision.state()["scale"][0])}


def _loss_of_float16(network: Any) -> list[float]:
    """The loss of the head's outputs in float32, and rounded to float16 as on a GPU."""
    batch = _batch()
    outputs = network.head(network.neck(network.backbone(batch)))
    both = (outputs, _as_float16(outputs))
    return [float(sum(network.head.get_loss(each, batch).values())) for each in both]


def _as_float16(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_as_float16(each) for each in value)
    return value.astype("float16") if value.dtype == paddle.float32 else value


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))  # noqa: T201
