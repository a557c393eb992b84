"""Changes to a converted graph: cut it short, fix an input, and free its batch size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from maskdet.errors import ExportError
from maskdet.export.rewriting import prune


def shape_of(value: onnx.ValueInfoProto) -> list[int | str]:
    """Sizes of the dimensions; free ones are names, empty if they have none."""
    dims = value.type.tensor_type.shape.dim
    return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in dims]


def inputs_of(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Those that a caller feeds. Older files list their weights as well."""
    weights = {value.name for value in graph.initializer}
    return [value for value in graph.input if value.name not in weights]


def constants_of(graph: onnx.GraphProto) -> dict[str, NDArray[Any]]:
    """Every constant by name, seen through the Identity and Cast nodes that paddle2onnx leaves."""
    found = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            for each in node.attribute:
                if each.name == "value":
                    found[node.output[0]] = numpy_helper.to_array(each.t)
        elif node.op_type in {"Identity", "Cast"} and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
    return found


def cut(graph: onnx.GraphProto, outputs: Sequence[str]) -> None:
    """Make these tensors the outputs, and drop all that only others needed."""
    del graph.output[:]
    for name in outputs:
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    del graph.value_info[:]
    prune(graph)


def fix_input(graph: onnx.GraphProto, name: str, value: NDArray[np.float32]) -> None:
    """Replace an input by a constant."""
    kept = [each for each in graph.input if each.name != name]
    del graph.input[:]
    graph.input.extend(kept)
    graph.initializer.append(numpy_helper.from_array(value, name))


def free_batch(graph: onnx.GraphProto, image: str) -> None:
    """Let the batch size follow the image's.

    Deploy exports have it written into their Reshape nodes as 1. One unknown size may be -1; beside another,
    0 copies the data's own.
    """
    constants, reached = constants_of(graph), {image}
    for node in graph.node:
        if not reached.intersection(node.input):
            continue
        reached.update(node.output)
        if node.op_type == "Reshape" and node.input[0] in reached:
            sizes = constants.get(node.input[1], np.empty(0)).tolist()
            if len(sizes) > 1 and sizes[0] == 1:
                sizes[0] = 0 if -1 in sizes else -1
                _set_input(graph, node, 1, np.array(sizes, np.int64))


def refuse_foreign_operators(graph: onnx.GraphProto) -> None:
    """Raises ExportError for operators that are not ONNX's own, such as TensorRT's NMS."""
    found = sorted({f"{node.domain}.{node.op_type}" for node in graph.node if node.domain not in _STANDARD})
    if found:
        raise ExportError(
            f"the graph has operators that are not ONNX's own: {', '.join(found[:5])}",
            "convert the model again with paddle2onnx and without --deploy_backend",
        )


def names(values: Iterable[onnx.ValueInfoProto]) -> str:
    """Names and shapes, for messages."""
    return ", ".join(f"{value.name} {[size or '?' for size in shape_of(value)]}" for value in values)


_STANDARD = {"", "ai.onnx"}


def _set_input(graph: onnx.GraphProto, node: onnx.NodeProto, place: int, value: NDArray[np.int64]) -> None:
    name = f"{node.output[0]}.{place}.free"
    graph.initializer.append(numpy_helper.from_array(value, name))
    node.input[place] = name
