"""Graphs by hand, before and after."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from maskdet.detector.shipped import shipped_model
from maskdet.export.rewriting import CHANNEL_BLOCK, rewrite

SIDE = 16
Nodes = list[onnx.NodeProto]


class Builder:
    """Nodes and constants of a small network that begins as ESNet does."""

    def __init__(self, seed: int = 0) -> None:
        self.nodes: Nodes = []
        self.constants: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(seed)

    def constant(self, name: str, *shape: int) -> str:
        value = self._random.uniform(0.1, 1, shape).astype(np.float32)
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def conv(self, given: str, into: str, made: int, taken: int, group: int = 1) -> str:
        weights = self.constant(f"{into}.w", made, taken // group, 3, 3)
        return self.node("Conv", [given, weights], into, group=group, kernel_shape=[3, 3], pads=[1] * 4)

    def norm(self, given: str, into: str, channels: int) -> str:
        values = [self.constant(f"{into}.{which}", channels) for which in ("scale", "bias", "mean", "var")]
        return self.node("BatchNormalization", [given, *values], into)

    def pool(self, given: str, into: str) -> str:
        return self.node("MaxPool", [given], into, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)

    def graph(self, *outputs: str) -> onnx.ModelProto:
        image = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["N", 3, SIDE, SIDE])
        named = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None] * 4) for name in outputs]
        graph = helper.make_graph(self.nodes, "by hand", [image], named, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)


def stem(builder: Builder, channels: int) -> str:
    made = builder.norm(builder.conv("image", "stem", channels, 3), "normal", channels)
    return builder.pool(builder.node("HardSwish", [made], "active"), "pooled")


def two_branches(channels: int) -> onnx.ModelProto:
    """As in the first block of ESNet: one reader by channel and then across, one across at once."""
    builder = Builder()
    pooled = stem(builder, channels)
    by_channel = builder.norm(builder.conv(pooled, "deep", channels, channels, channels), "deep.n", channels)
    builder.conv(by_channel, "left", 48, channels)
    builder.conv(pooled, "right", 44, channels)
    return builder.graph("left", "right")


def pool_is_an_output() -> onnx.ModelProto:
    builder = Builder()
    return builder.graph(stem(builder, 24))


def pool_of_the_picture() -> onnx.ModelProto:
    builder = Builder()
    builder.conv(builder.pool("image", "pooled"), "right", 8, 3)
    return builder.graph("right")


def sum_on_the_way() -> onnx.ModelProto:
    builder = Builder()
    added = builder.node("Add", [stem(builder, 24), builder.constant("one", 1, 24, 1, 1)], "added")
    builder.conv(added, "right", 8, 24)
    return builder.graph("right")


def weights_with_two_readers() -> onnx.ModelProto:
    builder = Builder()
    pooled = stem(builder, 24)
    builder.conv(pooled, "right", 8, 24)
    builder.node("Conv", [pooled, "right.w"], "left", kernel_shape=[3, 3], pads=[1] * 4)
    return builder.graph("left", "right")


def several_filters_for_each_channel() -> onnx.ModelProto:
    builder = Builder()
    many = builder.conv(stem(builder, 24), "many", 48, 24, 24)
    builder.conv(many, "right", 8, 48)
    return builder.graph("right")


def answers(model: onnx.ModelProto) -> list[np.ndarray]:
    image = np.random.default_rng(1).normal(size=(2, 3, SIDE, SIDE)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"image": image}))


def rewritten(model: onnx.ModelProto) -> onnx.ModelProto:
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    rewrite(changed.graph)
    onnx.checker.check_model(changed, full_check=True)
    return changed


def shapes(model: onnx.ModelProto) -> dict[str, list[int]]:
    return {value.name: list(value.dims) for value in model.graph.initializer}


@pytest.mark.parametrize("channels", [2, 15, 24, 40])
def test_what_is_pooled_has_whole_blocks_of_channels(channels: int) -> None:
    before = two_branches(channels)
    after = rewritten(before)

    whole = -(-channels // CHANNEL_BLOCK) * CHANNEL_BLOCK
    found = shapes(after)
    assert found["stem.w"] == [whole, 3, 3, 3]
    assert found["normal.var"] == found["deep.n.bias"] == [whole]
    assert found["deep.w"] == [whole, 1, 3, 3]
    assert found["left.w"] == [48, whole, 3, 3]
    assert found["right.w"] == [44, whole, 3, 3]
    for one, other in zip(answers(before), answers(after), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-5)


def test_a_convolution_need_not_say_that_it_has_one_group() -> None:
    before = two_branches(24)
    silent = onnx.ModelProto()
    silent.CopyFrom(before)
    convolutions = [node for node in silent.graph.node if node.op_type == "Conv"]
    for node in convolutions:
        for each in [each for each in node.attribute if each.name == "group" and each.i == 1]:
            node.attribute.remove(each)
    assert sum(len(node.attribute) == 2 for node in convolutions) == 3
    assert shapes(rewritten(silent)) == shapes(rewritten(before))


@pytest.mark.parametrize(
    "build",
    [
        lambda: two_branches(32),
        pool_is_an_output,
        pool_of_the_picture,
        sum_on_the_way,
        weights_with_two_readers,
        several_filters_for_each_channel,
    ],
)
def test_what_has_whole_blocks_or_cannot_be_widened_stays(build: Callable[[], onnx.ModelProto]) -> None:
    before = build()
    assert rewritten(before) == before
    assert answers(before)


def test_shipped_model_is_as_export_would_write_it_today() -> None:
    model = onnx.load(shipped_model())
    assert rewritten(model) == model
    inferred = onnx.shape_inference.infer_shapes(model).graph
    found = {value.name: value.type.tensor_type.shape.dim for value in inferred.value_info}
    pooled = [found[node.input[0]] for node in inferred.node if node.op_type == "MaxPool"]
    assert [axes[1].dim_value for axes in pooled] == [32]
