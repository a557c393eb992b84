"""The forms in which PaddleDetection exports a PicoDet, and each one's boxes and scores before NMS."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
import onnx
from onnx import helper

from maskdet.errors import ExportError
from maskdet.export.wrapping.decoding import decode_heads
from maskdet.export.wrapping.graph import (
    constants_of,
    cut,
    fix_input,
    inputs_of,
    names,
    refuse_foreign_operators,
    shape_of,
)
from maskdet.export.wrapping.infer_config import InferConfig, Suppression

_SIDE_INPUTS: Final = ("scale_factor", "im_shape")
_EXPORTS: Final = (
    "export with `tools/export_model.py -c CONFIG -o weights=...` and convert with "
    "`paddle2onnx --model_dir DIR --model_filename model.pdmodel --params_filename model.pdiparams "
    "--save_file model.onnx`"
)


class Form(str, Enum):
    """What a PicoDet's graph returns."""

    NMS = "NMS inside"
    BOXES = "post-processing without NMS"
    HEADS = "raw heads"


@dataclass(frozen=True, slots=True)
class Export:
    """A recognised graph. `outputs` are its own, in order; `side_inputs` those beside the image."""

    form: Form
    image: str
    side_inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    inside: Suppression | None
    """The settings of the NMS inside, where there is one."""


def recognise(model: onnx.ModelProto) -> Export:
    """Raises ExportError for a graph that is no PicoDet of PaddleDetection."""
    graph = model.graph
    refuse_foreign_operators(graph)
    image = _image_of(graph)
    sides = tuple(value.name for value in inputs_of(graph) if value.name != image)
    for name in sides:
        if name not in _SIDE_INPUTS:
            raise ExportError(
                f"the graph has the input {name} beside {image}; PicoDet's are {', '.join(_SIDE_INPUTS)}",
                _EXPORTS,
            )
    suppressions = [node for node in graph.node if node.op_type == "NonMaxSuppression"]
    if len(suppressions) > 1:
        raise ExportError(f"the graph has {len(suppressions)} NonMaxSuppression operators, not one", _EXPORTS)
    outputs = tuple(value.name for value in graph.output)
    inside = _settings_of(graph, suppressions[0]) if suppressions else None
    return Export(_form_of(graph, inside), image, sides, outputs, inside)


def expose(model: onnx.ModelProto, export: Export, config: InferConfig) -> None:
    """Change the graph so that it takes the image only and returns boxes [N, A, 4] in its pixels, and scores
    [N, A, C].
    """
    graph = model.graph
    boxes, scores = _before_nms(model, export, config)
    if export.form is not Form.HEADS:
        graph.node.append(helper.make_node("Transpose", [scores], ["by_anchor"], perm=[0, 2, 1]))
        scores = "by_anchor"
    cut(graph, (boxes, scores))
    for name in export.side_inputs:
        value = config.input_size if name == "im_shape" else (1, 1)
        fix_input(graph, name, np.array([value], np.float32))


def _before_nms(model: onnx.ModelProto, export: Export, config: InferConfig) -> tuple[str, str]:
    if export.form is Form.NMS:
        node = next(node for node in model.graph.node if node.op_type == "NonMaxSuppression")
        return node.input[0], node.input[1]
    if export.form is Form.HEADS:
        return decode_heads(model.graph, export.outputs, config)
    return export.outputs[0], export.outputs[1]


def _image_of(graph: onnx.GraphProto) -> str:
    inputs = inputs_of(graph)
    images = [value for value in inputs if len(shape_of(value)) == 4]
    if len(images) != 1 or shape_of(images[0])[1] != 3:
        raise ExportError(f"the graph has no image [N, 3, H, W] among its inputs {names(inputs)}", _EXPORTS)
    if images[0].type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
        raise ExportError(f"the graph's {images[0].name} is not float32", "convert it without quantisation")
    name: str = images[0].name
    return name


def _form_of(graph: onnx.GraphProto, inside: Suppression | None) -> Form:
    count = len(graph.output)
    if inside is not None and count in {1, 2, 3}:
        return Form.NMS
    if inside is None and count == 2 and shape_of(graph.output[0])[-1:] == [4]:
        return Form.BOXES
    if inside is None and count >= 4 and count % 2 == 0:
        return Form.HEADS
    raise ExportError(
        f"the graph's outputs are {names(graph.output)}; a PicoDet returns rows and their count, boxes and "
        "scores, or scores and distances of each level",
        "`maskdet inspect FILE` says what the file seems to be; " + _EXPORTS,
    )


def _settings_of(graph: onnx.GraphProto, node: onnx.NodeProto) -> Suppression:
    constants, own = constants_of(graph), Suppression()
    values = [constants.get(name) for name in node.input[2:5]]
    if len(values) < 3 or any(value is None or value.size != 1 for value in values):
        raise ExportError("the NMS inside the graph has no constant settings", _EXPORTS)
    top_k, iou, score = (value.item() for value in values if value is not None)
    return Suppression(float(score), float(iou), int(top_k) if top_k > 0 else own.top_k, own.keep)
