"""The shipped model against a copy whose class outputs are swapped, on drawn faces of the sample set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from gates_val import settings
from onnx import helper, numpy_helper
from trained import sample_manifest

from maskdet.detector.shipped import shipped_model
from maskdet.errors import GateRefusal
from maskdet.gates.gates import Contender, GateJob, judge
from maskdet.gates.sheet import draw_deciding

COUNTS = {"pictures": 10, "faces": 10, "class_faces": 5, "bare_faces": 5}


def swapped(target: Path) -> Path:
    """What was masked is said to be bare, and the other way round."""
    model = onnx.load(shipped_model())
    [maker] = [node for node in model.graph.node if "scores" in node.output]
    maker.output[list(maker.output).index("scores")] = "scores.unswapped"
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 0, 2], np.int64), "swap"))
    model.graph.node.append(helper.make_node("Gather", ["scores.unswapped", "swap"], ["scores"], axis=2))
    onnx.save(model, target)
    return target


def test_a_model_that_swaps_the_classes_is_refused(tmp_path: Path) -> None:
    pictures = tuple(replace(each, part="val") for each in sample_manifest().pictures[:12])
    manifest = replace(sample_manifest(), pictures=pictures)
    manifest.write(tmp_path / "manifest.json")
    champion = Contender("shipped", shipped_model())
    challenger = Contender("swapped", swapped(tmp_path / "swapped.onnx"))
    chosen = settings(counts=COUNTS, parity=False)

    report = judge(GateJob(challenger, champion, tmp_path / "manifest.json", chosen))

    refused = {each.name for each in report.refusals if each.verdict == "fail"}
    assert {"limits.bare_passed", "not_worse.ap50", "not_worse.bare_passed"} <= refused
    assert "not_worse.class_recall.without_mask" in refused
    assert "not_worse.size_ratio" not in refused
    with pytest.raises(GateRefusal, match=r"not_worse\.bare_passed: \+.* points is .* points above"):
        report.require()
    assert len(report.regressions) == 5
    draw_deciding(report.regressions, manifest.files, tmp_path / "regressions.png")
