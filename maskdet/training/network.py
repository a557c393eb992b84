"""A network built from a recipe, and its raw outputs: boxes and scores before NMS. Worker side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from ppdet.core.workspace import create, merge_config

from maskdet.detector.preprocess import normalise
from maskdet.training.compat import apply_shims, paddle
from maskdet.training.variants import MEAN, STD
from maskdet.types import FloatArray


def load_config(path: Path) -> dict[str, Any]:
    """Mend ppdet, read the recipe's YAML (safe_load: no Python tags) and give it to ppdet's registry."""
    apply_shims()
    with path.open(encoding="utf-8") as stream:
        config: dict[str, Any] = yaml.safe_load(stream)
    merge_config(config)
    return config


def build_network(config: dict[str, Any]) -> Any:
    """The PicoDet layer that the configuration describes, weights still random."""
    return create(config["architecture"])


class RawDetector:
    """Runs a network up to, not including, NMS.

    `run(batch)`: uint8 [N, H, W, 3] RGB at input size → boxes [N, A, 4] xyxy in network pixels and scores [N, A, C].
    """

    def __init__(self, network: Any) -> None:
        self._network = network

    def run(self, batch: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        self._network.eval()
        self._network.export_nms, nms = False, self._network.export_nms
        try:
            with paddle.no_grad():
                found = self._network(inputs_of(batch))
        finally:
            self._network.export_nms = nms
        return found["bbox"].numpy(), found["scores"].numpy().transpose(0, 2, 1)


def inputs_of(batch: NDArray[np.uint8]) -> dict[str, Any]:
    """The network's input dictionary for uint8 pictures [N, H, W, 3] already at input size."""
    pixels = paddle.to_tensor(normalise(batch, MEAN, STD))
    ones = paddle.ones([len(batch), 2])
    return {"image": pixels, "scale_factor": ones, "im_shape": ones * float(batch.shape[1])}


def choose_device(devices: str) -> str:
    """Set Paddle's device for this worker ("cpu" or GPU numbers) and name it."""
    return str(paddle.set_device("cpu" if devices == "cpu" else "gpu"))
