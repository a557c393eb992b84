"""A converted graph rewritten for ONNX Runtime: faster, with the same results. Worker side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

CHANNEL_BLOCK: Final = 16
"""Channels per block in ONNX Runtime's layout on a CPU with AVX-512 (its NCHWc layout)."""
_LAST_AXIS = "last_axis"
_AXES_ARE_INPUTS: Final = 13
"""Since this version of the operators Squeeze and Unsqueeze take their axes as an input."""
_KEEPS_ZERO = {"MaxPool", "HardSwish", "Relu", "Identity"}
"""Operators that work per channel and map zeros to zeros."""


def rewrite(graph: onnx.GraphProto, opset: int = _AXES_ARE_INPUTS) -> None:
    """Rewrite the graph, of operators of that version, in place."""
    prune(graph)
    if opset >= _AXES_ARE_INPUTS:
        _widen_vectors(graph)
    _align_pools(graph)


def prune(graph: onnx.GraphProto) -> None:
    """paddle2onnx leaves nodes and constants that no output needs; onnxruntime warns of each at every
    load.
    """
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
    """Turn a MatMul by a vector [K] into one by a matrix [K, 1], whose last axis is dropped again.

    ONNX Runtime splits the former into a product per row of the leading axes: 6,400 of them for the boxes of
    a 640 px network, a tenth of its whole time on a CPU.
    """
    vectors = {name for name, value in _constants(graph) if len(value.dims) == 1}
    nodes = []
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in vectors:
            nodes += _by_matrix(node.input[0], node.input[1], node.output[0])
        else:
            nodes.append(node)
    if len(nodes) > len(graph.node):
        axis = numpy_helper.from_array(np.array([-1], np.int64), _LAST_AXIS)
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


def _align_pools(graph: onnx.GraphProto) -> None:
    """Pad the inputs of max poolings to whole blocks of channels; the added ones are zeros that nothing
    reads.

    Only whole blocks are pooled in place. The stem of ESNet-S has 24 channels at half the picture's size:
    reordering them into the plain layout and pooling them there takes a twentieth of the network's time.
    """
    values = dict(_constants(graph))
    for node in [node for node in graph.node if node.op_type == "MaxPool"]:
        stretch = _Stretch(graph, values)
        if stretch.spans(node.input[0]):
            stretch.widen()


class _Stretch:
    """The tensors that share one axis of channels, from the convolution that makes it to all its readers."""

    def __init__(self, graph: onnx.GraphProto, values: dict[str, onnx.TensorProto]) -> None:
        self._values = values
        self._outputs = {output.name for output in graph.output}
        self._maker = {name: node for node in graph.node for name in node.output}
        self._readers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)
        self._tensors: set[str] = set()
        self._axes: dict[str, int] = {}
        """The axis of each constant that is, or follows, the channels."""
        self._ones: set[str] = set()
        """Constants whose added values are 1: the variances of normalisations, which divide."""
        self._grouped: list[onnx.NodeProto] = []

    def spans(self, tensor: str) -> bool:
        """Collect all tensors that share one's axis; False if an operator on the way is unknown."""
        if tensor in self._tensors:
            return True
        self._tensors.add(tensor)
        ends = [(self._maker.get(tensor), True), *((node, False) for node in self._readers.get(tensor, []))]
        return tensor not in self._outputs and all(self._passes(node, made) for node, made in ends)

    def widen(self) -> None:
        """Round the channels up to whole blocks."""
        channels = {self._values[name].dims[axis] for name, axis in self._axes.items()}
        if len(channels) != 1:
            return
        [count] = channels
        added = -count % CHANNEL_BLOCK
        for name, axis in self._axes.items() if added else ():
            fill = 1 if name in self._ones else 0
            _set(self._values[name], _padded(numpy_helper.to_array(self._values[name]), axis, added, fill))
        for node in self._grouped:
            next(each for each in node.attribute if each.name == "group").i = count + added

    def _passes(self, node: onnx.NodeProto | None, made: bool) -> bool:
        if node is None:
            return False
        if node.op_type in _KEEPS_ZERO:
            return self._goes_on(node)
        if node.op_type == "BatchNormalization":
            self._ones.add(node.input[4])
            return self._own(node.input[1:], 0) and self._goes_on(node)
        if node.op_type != "Conv" or len(node.input) != 2:
            return False
        if _group(node) == 1:
            return self._own(node.input[1:], 0 if made else 1)
        return self._by_channel(node) and self._own(node.input[1:], 0) and self._goes_on(node)

    def _by_channel(self, node: onnx.NodeProto) -> bool:
        weights = self._values.get(node.input[1])
        if weights is None or (_group(node), 1) != tuple(weights.dims[:2]):
            return False
        if node not in self._grouped:
            self._grouped.append(node)
        return True

    def _goes_on(self, node: onnx.NodeProto) -> bool:
        return self.spans(node.input[0]) and self.spans(node.output[0])

    def _own(self, names: Sequence[str], axis: int) -> bool:
        """Record constants that grow with the axis. Shared ones cannot."""
        self._axes.update(dict.fromkeys(names, axis))
        return all(name in self._values and len(self._readers[name]) == 1 for name in names)


def _padded(array: NDArray[Any], axis: int, added: int, fill: float) -> NDArray[Any]:
    widths = [(0, added if place == axis else 0) for place in range(array.ndim)]
    return np.pad(array, widths, constant_values=fill)


def _set(value: onnx.TensorProto, array: NDArray[Any]) -> None:
    value.CopyFrom(numpy_helper.from_array(array, value.name))


def _group(node: onnx.NodeProto) -> int:
    """Into how many groups a convolution divides its channels: 1 where it does not say."""
    return next((each.i for each in node.attribute if each.name == "group"), 1)


def _constants(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    """Each constant's name and value, whether among the initializers or the nodes."""
    yield from ((value.name, value) for value in graph.initializer)
    for node in graph.node:
        if node.op_type == "Constant":
            yield from ((node.output[0], each.t) for each in node.attribute if each.name == "value")
