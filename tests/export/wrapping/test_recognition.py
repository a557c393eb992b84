"""What files of other tools are taken for, by graphs with their inputs and outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support import write_tiny_bundle

from maskdet.errors import BundleError
from maskdet.export.inspection import inspect_file
from maskdet.export.message import facts_of, holds_meta
from maskdet.export.wrapping.recognition import Seen, guess

IMAGE = [1, 3, 640, 640]
ULTRALYTICS = {"author": "Ultralytics", "names": "{0: 'a'}"}


def write(path: Path, image: list[int], outputs: list[list[int]], **metadata: str) -> Path:
    """A graph that returns constants of these shapes."""
    values = [
        numpy_helper.from_array(np.zeros(shape, np.float32), f"c{n}") for n, shape in enumerate(outputs)
    ]
    nodes = [helper.make_node("Identity", [value.name], [f"out{n}"]) for n, value in enumerate(values)]
    graph = helper.make_graph(
        nodes,
        "constants",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info(f"out{n}", TensorProto.FLOAT, s) for n, s in enumerate(outputs)],
        values,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.producer_name, model.producer_version = "pytorch", "2.1"
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("image", "outputs", "metadata", "kind", "labels"),
    [
        ([1, 3, 260, 260], [[1, 5972, 4], [1, 5972, 2]], {}, "SSD of AIZOO", ["Mask", "NoMask"]),
        (IMAGE, [[1, 25200, 7]], {"stride": "32", "names": "['mask', 'bare']"}, "YOLOv5", ["mask", "bare"]),
        (IMAGE, [[1, 25200, 7]], {}, "YOLOv5", []),
        (IMAGE, [[1, 6, 8400]], {"author": "Ultralytics", "names": "{0: 'a', 1: 'b'}"}, "YOLOv8", ["a", "b"]),
        (IMAGE, [[1, 300, 6]], ULTRALYTICS, "NMS inside", ["a"]),
        (
            IMAGE,
            [[1, 37, 8400], [1, 32, 160, 160]],
            {**ULTRALYTICS, "task": "segment"},
            "task segment",
            ["a"],
        ),
        ([1, 3, 224, 224], [[1, 1]], {**ULTRALYTICS, "task": "classify"}, "task classify", ["a"]),
        ([1, 3, 320, 320], [[1, 2125, 4], [1, 2, 2125]], {}, "without NMS", []),
        ([1, 3, 64, 64], [[1, 64, 2], [1, 16, 2], [1, 64, 32], [1, 16, 32]], {}, "raw heads", []),
        ([1, 3, 224, 224], [[1, 1000]], {}, "unknown", []),
        (IMAGE, [[1, 6, 8400]], {"author": "Ultralytics", "names": "__import__('os')"}, "YOLOv8", []),
    ],
)
def test_the_family_and_the_next_step(tmp_path, image, outputs, metadata, kind, labels):
    found = inspect_file(write(tmp_path / "m.onnx", image, outputs, **metadata))
    assert kind in found["kind"]
    assert found["labels"] == labels
    assert found["next"]
    assert found["metadata"] == metadata
    assert found["graph"]["opset"] == 17
    assert found["graph"]["producer"] == "pytorch 2.1"
    assert found["graph"]["operators"] == len(outputs)


@pytest.mark.parametrize(
    ("shape", "kind"),
    [(["batch", 6, "anchors"], "YOLOv8"), (["batch", "anchors", 7], "YOLOv5"), (["n", "a", "b"], "unknown")],
)
def test_free_sides_are_passed_over(tmp_path, shape, kind):
    facts = facts_of(write(tmp_path / "m.onnx", IMAGE, [[1, 6, 8400]], **ULTRALYTICS).read_bytes())
    assert guess(Seen({}, {"output0": ("float", shape)}, facts)).family.startswith(kind)


def test_a_file_that_is_no_model_is_told(tmp_path):
    for content in (b"", b"no model at all", b"\x08\x08"):
        (tmp_path / "m.onnx").write_bytes(content)
        with pytest.raises(BundleError, match=r"m\.onnx"):
            inspect_file(tmp_path / "m.onnx")
    with pytest.raises(BundleError, match="No such file"):
        inspect_file(tmp_path / "none.onnx")


def test_facts_are_those_that_onnx_reads(tmp_path):
    content = write_tiny_bundle(tmp_path / "tiny.onnx").read_bytes()
    model, facts = onnx.load_model_from_string(content), facts_of(content)
    assert facts.opset == model.opset_import[0].version
    assert sum(facts.operators.values()) == len(model.graph.node)
    assert facts.operators["AveragePool"] == 1
    assert facts.metadata == {each.key: each.value for each in model.metadata_props}
    assert holds_meta(content)
    assert not holds_meta(b"no model at all")
