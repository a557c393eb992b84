"""Runs two small graphs through Paddle's predictors. Prints how many threads created them, and the shapes."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from paddle import inference, jit, nn, static

from maskdet.export.worker import conversion


class Raw(nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2D(3, 6, 1)

    def forward(self, image: Any) -> tuple[Any, Any]:
        found = self.convolution(image)
        return found, nn.functional.sigmoid(found)


class Deploy(Raw):
    def forward(self, image: Any, scale_factor: Any) -> tuple[Any, Any]:
        return self.convolution(image).reshape([-1, 6]), scale_factor + 3


def saved(graph: Any, name: str, *inputs: Any) -> Path:
    graph.eval()
    jit.save(jit.to_static(graph, input_spec=list(inputs), full_graph=True), str(folder / name))
    return folder / f"{name}.json"


folder, creators, create = Path(sys.argv[1]), [], inference.create_predictor
image = static.InputSpec([None, 3, 2, 2], "float32", name="image")
scale = static.InputSpec([None, 2], "float32", name="scale_factor")
raw, deploy = saved(Raw(), "raw", image), saved(Deploy(), "deploy", image, scale)


def create_noted(config: Any) -> Any:
    creators.append(threading.get_ident())
    return create(config)


inference.create_predictor = create_noted
outputs = conversion._paddle_outputs(raw, deploy, [np.ones((1, 3, 2, 2), np.float32)] * 2, threads=2)
shapes = {name: output.shape for name, output in outputs.items()}
sys.stdout.write(json.dumps({"created": len(creators), "threads": len(set(creators)), **shapes}) + "\n")
