"""The boxes of PicoDet's raw heads as nodes of the graph: distances are means of a softmax over bins."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
import onnx
from onnx import helper, numpy_helper

from maskdet.errors import ExportError
from maskdet.export.wrapping.graph import names, shape_of
from maskdet.export.wrapping.infer_config import INFER_CONFIG, InferConfig
from maskdet.types import FloatArray

_OUTWARD = (-1.0, -1.0, 1.0, 1.0)


def decode_heads(graph: onnx.GraphProto, outputs: Sequence[str], config: InferConfig) -> tuple[str, str]:
    """Append the decoding to scores [N, L, C] and distances [N, L, 4 * bins] of each level, finest first.

    Returns the names of boxes and scores. Raises ExportError if the levels are not those of the input size.
    """
    levels = len(outputs) // 2
    bins = _bins(graph, config, levels)
    anchors, strides = anchors_of(config)
    constants = {
        "heads.bins": np.arange(bins, dtype=np.float32).reshape(bins, 1),
        "heads.by_side": np.array([0, -1, 4, bins], np.int64),
        "heads.by_box": np.array([0, -1, 4], np.int64),
        "heads.reach": (strides * np.array(_OUTWARD, np.float32))[None],
        "heads.centres": np.tile(anchors, 2)[None],
    }
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    graph.node.extend(
        [
            helper.make_node("Concat", list(outputs[:levels]), ["heads.scores"], axis=1),
            helper.make_node("Concat", list(outputs[levels:]), ["heads.logits"], axis=1),
            helper.make_node("Reshape", ["heads.logits", "heads.by_side"], ["heads.sides"]),
            helper.make_node("Softmax", ["heads.sides"], ["heads.shares"], axis=3),
            helper.make_node("MatMul", ["heads.shares", "heads.bins"], ["heads.means"]),
            helper.make_node("Reshape", ["heads.means", "heads.by_box"], ["heads.distances"]),
            helper.make_node("Mul", ["heads.distances", "heads.reach"], ["heads.offsets"]),
            helper.make_node("Add", ["heads.offsets", "heads.centres"], ["heads.boxes"]),
        ]
    )
    return "heads.boxes", "heads.scores"


def anchors_of(config: InferConfig) -> tuple[FloatArray, FloatArray]:
    """Centres [A, 2] (x, y) of the cells in pixels of the input, and their strides [A, 1]; finest first."""
    centres, strides = [], []
    for stride in config.strides:
        rows, columns = _grid(config, stride)
        y, x = np.mgrid[:rows, :columns].reshape(2, -1)
        centres.append((np.stack([x, y], axis=1) + 0.5) * stride)
        strides.append(np.full((len(x), 1), stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _bins(graph: onnx.GraphProto, config: InferConfig, levels: int) -> int:
    shapes = [shape_of(value) for value in graph.output]
    cells = [rows * columns for rows, columns in (_grid(config, stride) for stride in config.strides)]
    found = [[shape[1] for shape in part if len(shape) == 3] for part in (shapes[:levels], shapes[levels:])]
    widths = {shape[-1] for shape in shapes[levels:]}
    width = widths.pop() if len(widths) == 1 else None
    if found != [cells, cells] or not isinstance(width, int) or width % 4 or width < 8:
        height, across = config.input_size
        raise ExportError(
            f"the graph's outputs {names(graph.output)} are not the levels of a PicoDet of {height}x{across} "
            f"with strides {', '.join(map(str, config.strides))}",
            f"take the {INFER_CONFIG} of the same export; its fpn_stride and target_size have to fit",
        )
    return width // 4


def _grid(config: InferConfig, stride: int) -> tuple[int, int]:
    height, width = config.input_size
    return ceil(height / stride), ceil(width / stride)
