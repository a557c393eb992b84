from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from trained import Exported

from maskdet.detector.bundle import load_bundle
from maskdet.detector.runtime.onnx_runtime import OnnxSession
from maskdet.errors import ExportError
from maskdet.export.comparison import Comparison
from maskdet.export.parity import Parity, compare, parity_batch
from maskdet.export.settings import ExportSettings

AGREES = Comparison("a and b", 8, 1e-6, 1e-4, 10, 10)


def parity_of(**changes: object) -> Parity:
    return Parity(3, 1e-3, 0.05, (AGREES, replace(AGREES, **changes)))


def test_agreement_is_accepted() -> None:
    parity_of().require()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"score_difference": 2e-3}, "scores by 0.002 (allowed 0.001)"),
        ({"box_difference": 0.06}, "boxes by 0.06 px (allowed 0.05)"),
        ({"matched": 5}, "5 of 10 matched"),
        ({"score_difference": float("nan")}, "scores by nan"),
        ({"box_difference": float("nan")}, "boxes by nan"),
    ],
)
def test_anything_apart_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ExportError) as caught:
        parity_of(**changes).require()
    assert words in caught.value.what
    assert "a and b" in caught.value.what
    assert caught.value.hint


def test_largest_difference_is_told() -> None:
    parity = parity_of(score_difference=0.5, box_difference=2.0)
    assert (parity.score_difference, parity.box_difference) == (0.5, 2.0)


def test_a_tampered_bundle_is_found_out(exported: Exported, tmp_path: Path) -> None:
    """One weight of the graph changed after export: it opens and runs, and does not agree."""
    model = onnx.load(exported.job.out / "model.onnx")
    weight = max(model.graph.initializer, key=lambda item: len(item.raw_data))
    changed = numpy_helper.to_array(weight).copy()
    changed.flat[::3] *= 1.05
    weight.CopyFrom(numpy_helper.from_array(changed, weight.name))
    path = tmp_path / "tampered.onnx"
    onnx.save(model, path)

    batch = parity_batch(exported.data.manifest.paths("val"), 2, (320, 320))
    counts = np.array([1.1, 1.1], np.float32)  # raw outputs only
    outputs = outputs_of(OnnxSession(load_bundle(exported.job.out / "model.onnx").model), batch)
    settings = ExportSettings()
    own = OnnxSession(load_bundle(exported.job.out / "model.onnx").model)
    compare(batch, outputs, own, settings, counts).require()
    tampered = OnnxSession(load_bundle(path).model)
    with pytest.raises(ExportError, match="and ONNX Runtime disagree at batch 1"):
        compare(batch, outputs, tampered, settings, counts).require()


def outputs_of(session: OnnxSession, batch: np.ndarray) -> dict[str, np.ndarray]:
    """What the worker would have stored, had trainer and Paddle said what this session says."""
    boxes, scores = session.run(batch)
    return {
        **{f"{name}_boxes": boxes for name in ("trainer", "paddle")},
        **{f"{name}_scores": scores for name in ("trainer", "paddle")},
        "deploy_rows": np.zeros((0, 6), np.float32),
        "deploy_counts": np.zeros(len(batch), np.int64),
    }


def test_batch_has_the_edge_cases(exported: Exported) -> None:
    val = exported.data.manifest.paths("val")
    batch = parity_batch(val, 3, (320, 320))
    assert (batch.shape, batch.dtype) == ((5, 320, 320, 3), np.uint8)
    assert not batch[3].any()
    assert (batch[4] == 128).all()
    assert len(parity_batch(val, 500, (320, 320))) == len(val) + 2
