"""The network as traced graphs in Paddle's inference format, and as ONNX. Worker side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx

import maskdet
from maskdet.export.rewriting import rewrite
from maskdet.export.worker.paddle_folder import convert
from maskdet.training.worker.compat import paddle, ppdet
from maskdet.training.worker.network import raw_outputs

MODEL_NAME = "model"
# No branch of the network depends on a tensor, so it is traced as it is. Translating its source first takes
# longer than all the rest, and makes every shape that it reads a node of the graph.
paddle.jit.ignore_module([maskdet, ppdet])


class RawGraph(paddle.nn.Layer):  # type: ignore[misc]
    """image float32 [N, 3, H, W] → boxes [N, A, 4] xyxy in network pixels, scores [N, A, C]."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Any) -> tuple[Any, Any]:
        boxes, scores = raw_outputs(self.network, image)
        return boxes, scores


class DeployGraph(paddle.nn.Layer):  # type: ignore[misc]
    """image [N, 3, H, W], scale_factor [N, 2] (y, x) → rows [class, score, x1, y1, x2, y2] in original
    pixels, and the number of rows of each picture.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Any, scale_factor: Any) -> tuple[Any, Any]:
        found = self.network({"image": image, "scale_factor": scale_factor})
        return found["bbox"], found["bbox_num"]


def save_graph(graph: Any, input_size: tuple[int, int], folder: Path, batch: int | None = None) -> Path:
    """Trace and write model.json and model.pdiparams; returns the model.json. `batch` None leaves it free."""
    spec = [paddle.static.InputSpec([batch, 3, *input_size], "float32", name="image")]
    if isinstance(graph, DeployGraph):
        spec.append(paddle.static.InputSpec([batch, 2], "float32", name="scale_factor"))
    graph.eval()
    traced = paddle.jit.to_static(graph, input_spec=spec, full_graph=True)
    paddle.jit.save(traced, str(folder / MODEL_NAME))
    return folder / f"{MODEL_NAME}.json"


def to_onnx(model: Path) -> onnx.ModelProto:
    """Convert a saved graph. Raises ExportError if paddle2onnx cannot."""
    model_proto = onnx.load_model_from_string(convert(model, upgrade=False))
    rewrite(model_proto.graph)
    return model_proto
