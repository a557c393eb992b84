"""From a raw ONNX graph to the bundle: pixels in, named outputs out, and the metadata inside. Worker side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from maskdet.detector.settings import METADATA_KEY, BundleMeta

OUTPUTS = ("boxes", "scores")


def assemble(raw: onnx.ModelProto, meta: BundleMeta) -> onnx.ModelProto:
    """Put normalisation in front of a raw graph, name its outputs and store the metadata.

    The result follows the contract in `BundleMeta`: `image` uint8 [N, H, W, 3] → `boxes`, `scores`.
    """
    model = onnx.ModelProto()
    model.CopyFrom(raw)
    model.producer_name, model.producer_version = "maskdet", meta.versions.get("maskdet", "")
    _prepend_normalisation(model.graph, meta)
    for output, name in zip(list(model.graph.output), OUTPUTS, strict=True):
        _rename(model.graph, output.name, name)
    _set_outputs(model.graph, len(meta.labels))
    store_meta(model, meta)
    onnx.checker.check_model(model)
    return model


def store_meta(model: onnx.ModelProto, meta: BundleMeta) -> None:
    """Put the metadata into a model, replacing any existing one; the graph is unchanged."""
    helper.set_model_props(model, {METADATA_KEY: meta.model_dump_json()})


def _prepend_normalisation(graph: onnx.GraphProto, meta: BundleMeta) -> None:
    """(x / 255 - mean) / std, as x * scale + offset; channels move first while pixels are still bytes."""
    inner = graph.input[0].name
    std, mean = np.array(meta.std, np.float32), np.array(meta.mean, np.float32)
    constants = {"pixel_scale": 1 / (255 * std), "pixel_offset": -mean / std}
    for name, value in constants.items():
        graph.initializer.append(numpy_helper.from_array(value.astype(np.float32).reshape(1, 3, 1, 1), name))
    nodes = [
        helper.make_node("Transpose", ["pixels"], ["pixels_chw"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["pixels_chw"], ["pixels_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["pixels_float", "pixel_scale"], ["pixels_scaled"]),
        helper.make_node("Add", ["pixels_scaled", "pixel_offset"], ["pixels_normal"]),
    ]
    _replace_input(graph.node, inner, "pixels_normal")
    _replace_input(nodes[:1], "pixels", "image")
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", *meta.input_size, 3]))


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        for place, name in enumerate(node.output):
            if name == old:
                node.output[place] = new
    _replace_input(graph.node, old, new)


def _replace_input(nodes: Sequence[onnx.NodeProto], old: str, new: str) -> None:
    for node in nodes:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new


def _set_outputs(graph: onnx.GraphProto, classes: int) -> None:
    del graph.output[:]
    for name, width in zip(OUTPUTS, (4, classes), strict=True):
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", "A", width]))
