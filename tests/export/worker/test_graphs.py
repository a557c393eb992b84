"""The exported graphs, run as others will run them."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from trained import Exported, run_script

from maskdet.detector.picture import read_picture
from maskdet.detector.preprocess import normalise, to_batch
from maskdet.export.export import export
from maskdet.export.settings import ExportSettings
from maskdet.training.networks.picodet import MEAN, STD
from maskdet.training.start.weights import read_weights

PREDICT = Path(__file__).with_name("predict_with_paddle.py")
CREATE = Path(__file__).with_name("create_predictors.py")


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def images(exported: Exported, count: int) -> np.ndarray:
    """float32 [count, 3, 320, 320], normalised, and all black."""
    val = exported.data.manifest.part("val")[:count]
    pictures = [read_picture(exported.data.root / item.picture) for item in val]
    return normalise(to_batch(pictures, (320, 320)), MEAN, STD)


def black() -> np.ndarray:
    return normalise(np.zeros((1, 320, 320, 3), np.uint8), MEAN, STD)


def test_in_graph_nms_has_the_inputs_of_paddledetections_script(exported: Exported) -> None:
    graph = session(exported.job.out / "model_nms.onnx")
    inputs = {item.name: (item.type, item.shape) for item in graph.get_inputs()}
    assert inputs == {
        "image": ("tensor(float)", [1, 3, 320, 320]),
        "scale_factor": ("tensor(float)", [1, 2]),
    }


def test_in_graph_nms_gives_rows_of_class_score_and_box(exported: Exported) -> None:
    graph = session(exported.job.out / "model_nms.onnx")
    feed = {"image": images(exported, 1), "scale_factor": np.array([[1, 1]], np.float32)}
    rows, count = graph.run(None, feed)[:2]
    assert rows.shape == (int(count[0]), 6)
    assert len(rows) > 10
    assert set(rows[:, 0]) <= {0.0, 1.0}
    assert ((rows[:, 1] >= 0.025) & (rows[:, 1] <= 1)).all()
    assert (rows[:, 4] > rows[:, 2]).all()
    assert (rows[:, 5] > rows[:, 3]).all()

    half = graph.run(None, {**feed, "scale_factor": np.array([[0.5, 0.25]], np.float32)})[0]
    best, halved = rows[np.argmax(rows[:, 1])], half[np.argmax(half[:, 1])]
    np.testing.assert_allclose(halved[2:], best[2:] * [4, 2, 4, 2], rtol=1e-4)


def test_in_graph_nms_does_not_crash_on_a_black_picture(exported: Exported) -> None:
    graph = session(exported.job.out / "model_nms.onnx")
    rows = graph.run(None, {"image": black(), "scale_factor": np.ones((1, 2), np.float32)})[0]
    assert rows.ndim == 2


def test_nothing_found_gives_no_rows(exported: Exported, tmp_path: Path) -> None:
    """The class biases pushed far down: no score reaches the threshold anywhere."""
    weights = dict(read_weights(exported.job.weights))
    for name in [name for name in weights if name.startswith("head.head_cls") and name.endswith("bias")]:
        bias = weights[name].copy()
        bias[:2] = -50
        weights[name] = bias
    path = tmp_path / "blind.pdparams"
    path.write_bytes(pickle.dumps(weights))
    settings = ExportSettings(nms="in-graph", parity_pictures=1)
    out = tmp_path / "export"
    out.mkdir()
    export(replace(exported.job, weights=path, out=out, settings=settings, metrics={}))
    graph = session(out / "model_nms.onnx")
    for image in (black(), images(exported, 1)):
        feed = {"image": image, "scale_factor": np.ones((1, 2), np.float32)}
        rows, count = graph.run(None, feed)[:2]
        assert int(count[0]) == 0
        assert len(rows) == 0 or (rows[:, 0] < 0).all()


@pytest.mark.parametrize("size", [1, 8])
def test_paddle_inference_runs_the_deployed_files(exported: Exported, tmp_path: Path, size: int) -> None:
    batch = images(exported, size)
    np.save(tmp_path / "batch.npy", batch)
    found = run_script(PREDICT, exported.job.out, tmp_path / "batch.npy")
    assert len(found["counts"]) == size
    assert len(found["rows"]) == sum(found["counts"]) > 10 * size
    assert all(len(row) == 6 for row in found["rows"])


def test_predictors_are_created_in_one_thread(tmp_path: Path) -> None:
    """Creating them in several at the same time ends some processes with a segmentation fault."""
    found = run_script(CREATE, tmp_path)
    assert (found["created"], found["threads"]) == (2, 1)
    assert found["paddle_boxes"] == found["paddle_scores"] == [2, 6, 2, 2]
    assert (found["deploy_rows"], found["deploy_counts"]) == ([8, 6], [2, 2])


def test_the_bundle_and_the_raw_graph_take_bytes(exported: Exported) -> None:
    graph = session(exported.job.out / "model.onnx")
    (image,) = graph.get_inputs()
    assert (image.name, image.type) == ("image", "tensor(uint8)")
    assert image.shape[1:] == [320, 320, 3]
    assert [output.name for output in graph.get_outputs()] == ["boxes", "scores"]


def test_no_product_is_by_a_vector(exported: Exported) -> None:
    """ONNX Runtime would take such a product apart, which costs a tenth of the network's time."""
    graph = onnx.load(exported.job.out / "model.onnx").graph
    dims = {value.name: len(value.dims) for value in graph.initializer}
    dims |= {
        node.output[0]: len(node.attribute[0].t.dims) for node in graph.node if node.op_type == "Constant"
    }
    products = [node for node in graph.node if node.op_type == "MatMul"]
    assert len(products) == 4, "one for each stride"
    assert not [node.name for node in products if dims.get(node.input[1]) == 1]
