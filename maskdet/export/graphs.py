"""The network as traced graphs in Paddle's inference format, and as ONNX. Worker side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import paddle2onnx

from maskdet.errors import ExportError
from maskdet.training.compat import paddle
from maskdet.training.network import raw_outputs

OPSET = 14
"""The first with HardSwish as one operator."""
MODEL_NAME = "model"
_LAST_AXIS = "last_axis"


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
    """Convert a saved graph. Raises ExportError when nothing comes out, of which paddle2onnx says nothing."""
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
    _prune(model_proto.graph)
    _widen_vectors(model_proto.graph)
    return model_proto


def _prune(graph: onnx.GraphProto) -> None:
    """paddle2onnx leaves nodes and constants that no output needs; onnxruntime warns of each at each load."""
    needed = {output.name for output in graph.output}
    nodes = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            nodes.append(node)
    constants = [constant for constant in graph.initializer if constant.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(nodes))
    graph.initializer.extend(constants)


def _widen_vectors(graph: onnx.GraphProto) -> None:
    """MatMul by a vector [K] as one by a matrix [K, 1], whose last axis is dropped again.

    ONNX Runtime takes the first apart into a product for each row of the leading axes: for the boxes of a
    640 px network 6,400 of them, a tenth of its whole time on a CPU.
    """
    vectors = {name for name, value in _constants(graph) if len(value.dims) == 1}
    nodes = []
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in vectors:
            nodes += _by_matrix(node.input[0], node.input[1], node.output[0])
        else:
            nodes.append(node)
    if len(nodes) > len(graph.node):
        axis = onnx.numpy_helper.from_array(np.array([-1], np.int64), _LAST_AXIS)
        graph.initializer.append(axis)
    del graph.node[:]
    graph.node.extend(nodes)


def _by_matrix(rows: str, vector: str, product: str) -> list[onnx.NodeProto]:
    matrix, column = f"{product}.matrix", f"{product}.column"
    return [
        onnx.helper.make_node("Unsqueeze", [vector, _LAST_AXIS], [matrix]),
        onnx.helper.make_node("MatMul", [rows, matrix], [column]),
        onnx.helper.make_node("Squeeze", [column, _LAST_AXIS], [product]),
    ]


def _constants(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    """Each constant's name and value, whether it stands among the initializers or the nodes."""
    yield from ((value.name, value) for value in graph.initializer)
    for node in graph.node:
        if node.op_type == "Constant":
            yield from ((node.output[0], each.t) for each in node.attribute if each.name == "value")
