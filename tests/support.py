"""A tiny real bundle for tests: a grid whose cells are faces when they are painted green, red or blue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from maskdet.detector.calibration import Calibration
from maskdet.detector.profile import Profile
from maskdet.detector.settings import METADATA_KEY, BundleMeta, NmsSettings
from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.types import Picture
from maskdet.wording.lexicon import Role, label_roles

GRID = 8
"""Cells a side: the graph has GRID * GRID anchors, each the box of one cell."""
LABELS = ("with_mask", "without_mask", "mask_weared_incorrect")
COLOURS = ((0, 255, 0), (255, 0, 0), (0, 0, 255))
"""RGB by class id: a cell filled with it scores 1.0, a black, white or grey cell 0.0."""


def write_tiny_bundle(
    path: Path,
    *,
    labels: Sequence[str] = LABELS,
    input_size: tuple[int, int] = (64, 64),
    thresholds: Mapping[str, float] | None = None,
    nms: NmsSettings | None = None,
    threshold_policy: ThresholdPolicy | None = None,
    metrics: Mapping[str, float] | None = None,
    roles: Mapping[str, Role] | None = None,
    profile: Profile | None = None,
    calibration: Calibration | None = None,
    manifest_sha256: str = "",
    variant: str = "tiny_grid",
) -> Path:
    """Write a bundle of up to three labels; input_size (height, width) in multiples of GRID; the names tell
    the roles unless given.
    """
    meta = BundleMeta(
        name="tiny",
        variant=variant,
        labels=tuple(labels),
        roles=label_roles(labels) if roles is None else roles,
        input_size=input_size,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        nms=nms or NmsSettings(),
        thresholds=dict(thresholds) if thresholds is not None else dict.fromkeys(labels, 0.5),
        threshold_policy=threshold_policy or ThresholdPolicy(),
        metrics=dict(metrics or {}),
        profile=profile,
        calibration=calibration,
        manifest_sha256=manifest_sha256,
    )
    path.write_bytes(tiny_model(meta).SerializeToString())
    return path


def paint(cells: Mapping[tuple[int, int], str], height: int = 256, width: int = 256) -> Picture:
    """A black picture with the cells {(row, column): label} of the GRID filled in their class's colour."""
    picture = np.zeros((height, width, 3), np.uint8)
    for (row, column), label in cells.items():
        x1, y1, x2, y2 = (round(edge) for edge in cell_box(row, column, height, width))
        picture[y1:y2, x1:x2] = COLOURS[LABELS.index(label)]
    return picture


def cell_box(row: int, column: int, height: int = 256, width: int = 256) -> tuple[float, float, float, float]:
    """Where the tiny model reports a cell: xyxy in pixels of a picture of that size."""
    high, wide = height / GRID, width / GRID
    return column * wide, row * high, (column + 1) * wide, (row + 1) * high


def tiny_model(meta: BundleMeta) -> onnx.ModelProto:
    """The graph: mean colour a cell, one linear colour detector a class, fixed boxes."""
    height, width = meta.input_size
    if height % GRID or width % GRID or len(meta.labels) > len(COLOURS):
        raise ValueError(
            f"the tiny model wants sizes in multiples of {GRID} and at most {len(COLOURS)} labels"
        )
    classes, anchors = len(meta.labels), GRID * GRID
    graph = helper.make_graph(
        _nodes(height // GRID, width // GRID),
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", height, width, 3])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", anchors, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", anchors, classes]),
        ],
        _weights(height, width, classes),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: meta.model_dump_json()})
    onnx.checker.check_model(model, full_check=True)
    return model


def _nodes(cell_height: int, cell_width: int) -> list[onnx.NodeProto]:
    make = helper.make_node
    cell = [cell_height, cell_width]
    return [
        make("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        make("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        make("AveragePool", ["planes"], ["cells"], kernel_shape=cell, strides=cell),
        make("Conv", ["cells", "detectors", "bias"], ["raw"]),
        make("Clip", ["raw", "zero", "one"], ["clipped"]),
        make("Reshape", ["clipped", "class_rows"], ["by_class"]),
        make("Transpose", ["by_class"], ["scores"], perm=[0, 2, 1]),
        make("Shape", ["image"], ["batch"], start=0, end=1),
        make("Concat", ["batch", "box_rows"], ["box_shape"], axis=0),
        make("Expand", ["grid", "box_shape"], ["boxes"]),
    ]


def _weights(height: int, width: int, classes: int) -> list[onnx.TensorProto]:
    # The own channel minus the two others; the offset keeps what resizing bleeds into a neighbour at 0.
    detectors = 1.2 / 255 * (2 * np.eye(3)[[1, 0, 2]] - 1)[:classes, :, None, None]
    boxes = [cell_box(row, column, height, width) for row in range(GRID) for column in range(GRID)]
    values = {
        "detectors": detectors.astype(np.float32),
        "bias": np.full(classes, -0.2, np.float32),
        "zero": np.array(0, np.float32),
        "one": np.array(1, np.float32),
        "class_rows": np.array([0, classes, GRID * GRID], np.int64),
        "box_rows": np.array([GRID * GRID, 4], np.int64),
        "grid": np.array([boxes], np.float32),
    }
    return [numpy_helper.from_array(value, name) for name, value in values.items()]
