"""The network as traced graphs in Paddle's inference format, and as ONNX. Worker side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import paddle2onnx

from maskdet.errors import ExportError
from maskdet.export.rewriting import rewrite
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.network import raw_outputs

OPSET = 14
"""The first with HardSwish as one operator."""
MODEL_NAME = "model"


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
    """Convert a saved graph. Raises ExportError if there is no output, which paddle2onnx does not report."""
    # Its optimiser may install packages at run time, so it stays off; onnxruntime optimises at load.
    content = paddle2onnx.export(
        str(model),
        str(model.with_suffix(".pdiparams")),
        opset_version=OPSET,
        auto_upgrade_opset=False,
        enable_onnx_checker=True,
        enable_optimize=False,
        optimize_tool="None",
    )
    if not content:
        raise ExportError(
            f"paddle2onnx could not convert {model}", "see the log, and check versions with `maskdet doctor`"
        )
    model_proto = onnx.load_model_from_string(content)
    rewrite(model_proto.graph)
    return model_proto
