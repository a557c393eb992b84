"""A network built from a recipe, and its raw outputs: boxes and scores before NMS. Worker side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from ppdet.core.workspace import create, merge_config

from maskdet.detector.preprocess import normalise
from maskdet.training.networks.picodet import MEAN, STD
from maskdet.training.worker.compat import apply_shims, paddle
from maskdet.types import FloatArray


def load_config(path: Path, **changes: Any) -> dict[str, Any]:
    """Patch ppdet, read the recipe's YAML (safe_load: no Python tags) and load it into ppdet's registry, with
    other values for some of its keys.
    """
    apply_shims()
    with path.open(encoding="utf-8") as stream:
        config: dict[str, Any] = yaml.safe_load(stream)
    config.update(changes)
    merge_config(config)
    return config


def build_network(config: dict[str, Any]) -> Any:
    """The PicoDet layer that the configuration describes, weights still random."""
    return create(config["architecture"])


class RawDetector:
    """Runs a network up to but not including NMS.

    `run(batch)`: uint8 [N, H, W, 3] RGB at input size → boxes [N, A, 4] xyxy in network pixels and scores
    [N, A, C].
    """

    def __init__(self, network: Any) -> None:
        self._network = network

    def run(self, batch: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        self._network.eval()
        with paddle.no_grad():
            boxes, scores = raw_outputs(self._network, paddle.to_tensor(normalise(batch, MEAN, STD)))
        return boxes.numpy(), scores.numpy()


def raw_outputs(network: Any, image: Any) -> tuple[Any, Any]:
    """The network's output before NMS: image [N, 3, H, W] → boxes [N, A, 4], scores [N, A, C].

    PicoDet's own forward requires a scale factor even if unused, which a traced graph rejects.
    """
    features = network.neck(network.backbone({"image": image}))
    scores, boxes = network.head(features)
    return boxes, scores.transpose([0, 2, 1])


def choose_device(devices: str) -> str:
    """Set Paddle's device for this worker ("cpu" or GPU numbers) and return its name."""
    paddle.set_device("cpu" if devices == "cpu" else "gpu")
    return str(paddle.get_device())
