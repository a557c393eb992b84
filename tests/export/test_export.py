"""Must-show: Paddle inference, ONNX Runtime and the trainer say the same of a trained model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from trained import Exported

from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import read_picture
from maskdet.detector.threshold_policy import BEST_F1
from maskdet.errors import ExportError, TrainingError
from maskdet.evaluation.settings import EvalSettings
from maskdet.export.export import ExportJob, export
from maskdet.export.settings import ExportSettings
from maskdet.judging.bundles import judge_bundle

SCORE, BOX = 1e-3, 0.05


@pytest.mark.slow
def test_agrees_on_50_pictures_at_batch_1_and_8(sample_job: ExportJob) -> None:
    parity = export(sample_job).parity
    assert parity.pictures == 52
    between = {(item.between, item.batch_size) for item in parity.comparisons}
    assert {("Paddle inference and ONNX Runtime", size) for size in (1, 8)} <= between
    assert {("trainer and ONNX Runtime", size) for size in (1, 8)} <= between
    for item in parity.comparisons:
        assert item.score_difference <= SCORE
        assert item.box_difference <= BOX
        assert item.matched == item.detections > 50
    assert parity.score_difference > 0


def test_a_detecting_model_is_exported(exported: Exported) -> None:
    assert exported.evaluation.ap50 > 0.3
    assert all(item.detections > 50 for item in exported.summary.parity.comparisons)


def test_parity_is_written(exported: Exported) -> None:
    written = json.loads((exported.job.out / "parity.json").read_text(encoding="utf-8"))
    parity = exported.summary.parity
    assert written["pictures"] == parity.pictures == 10
    assert written["score_difference"] == parity.score_difference <= SCORE
    assert written["box_difference"] == parity.box_difference <= BOX
    assert (written["score_tolerance"], written["box_tolerance"]) == (SCORE, BOX)
    assert len(written["comparisons"]) == len(parity.comparisons)
    assert written["bundle_sha256"] == load_bundle(exported.job.out / "model.onnx").sha256
    assert written["ap50_onnx"] == exported.summary.ap50_onnx
    assert written["ap50_checkpoint"] == exported.job.metrics["ap50"]


def test_bundle_and_checkpoint_are_judged_alike(exported: Exported) -> None:
    bundle = load_bundle(exported.job.out / "model.onnx")
    one = exported.evaluation
    two = judge_bundle(bundle, exported.data.manifest, EvalSettings())[0]
    assert two.ap50 == pytest.approx(one.ap50, abs=1e-3)
    assert two.ap50_95 == pytest.approx(one.ap50_95, abs=1e-3)
    assert two.ap50 == pytest.approx(exported.summary.ap50_onnx)
    np.testing.assert_array_equal(two.confusion, one.confusion)


def test_bundle_holds_what_is_needed_to_run_it(exported: Exported) -> None:
    meta = load_bundle(exported.job.out / "model.onnx").meta
    assert (meta.name, meta.variant, meta.labels) == (
        "口罩 mask",
        "picodet_s_320_esnet",
        ("with_mask", "without_mask"),
    )
    assert meta.roles == {"with_mask": "masked", "without_mask": "bare"}
    assert meta.input_size == (320, 320)
    assert meta.thresholds == pytest.approx(exported.job.thresholds)
    assert meta.threshold_policy == BEST_F1
    assert meta.metrics["ap50"] == pytest.approx(exported.evaluation.ap50, abs=1e-6)
    assert len(meta.manifest_sha256) == 64
    assert {"maskdet", "paddle", "paddledet", "paddle2onnx", "onnx"} <= meta.versions.keys()


@pytest.mark.parametrize("size", [1, 3, 8])
def test_bundle_takes_any_batch(exported: Exported, size: int) -> None:
    detector = Detector(load_bundle(exported.job.out / "model.onnx"), threads=1)
    pictures = [
        read_picture(exported.data.root / item.picture) for item in exported.data.manifest.part("val")
    ]
    together = detector.detect_batch(pictures[:size])
    assert len(together) == size
    for picture, found in zip(pictures, together, strict=False):
        alone = detector.detect(picture)
        assert len(alone) == len(found) > 0
        np.testing.assert_allclose(alone.boxes, found.boxes, atol=BOX)
        np.testing.assert_allclose(alone.scores, found.scores, atol=SCORE)


def test_bundle_gives_the_same_bytes_again(exported: Exported, tmp_path: Path) -> None:
    again = replace(exported.job, out=tmp_path, settings=ExportSettings(parity_pictures=1))
    export(again)
    names = ["model.onnx", "infer_cfg.yml", "model.pdiparams"]
    assert not (tmp_path / "model_nms.onnx").exists()
    for name in names:
        assert (tmp_path / name).read_bytes() == (exported.job.out / name).read_bytes()


def test_without_onnx_no_bundle_is_written(exported: Exported, tmp_path: Path) -> None:
    bare = replace(exported.job, out=tmp_path, settings=ExportSettings(onnx=False, parity_pictures=2))
    summary = export(bare)
    assert summary.ap50_onnx is None
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "infer_cfg.yml",
        "model.json",
        "model.pdiparams",
        "parity.json",
    ]


def test_infer_cfg_has_what_paddledetections_onnx_script_reads(exported: Exported) -> None:
    config = yaml.safe_load((exported.job.out / "infer_cfg.yml").read_text(encoding="utf-8"))
    assert {
        "arch",
        "mode",
        "draw_threshold",
        "Preprocess",
        "label_list",
        "use_dynamic_shape",
    } <= config.keys()
    assert {"min_subgraph_size", "metric", "NMS", "fpn_stride"} <= config.keys()
    assert config["label_list"] == ["with_mask", "without_mask"]
    kinds = [step["type"] for step in config["Preprocess"]]
    assert kinds == ["Resize", "NormalizeImage", "Permute"]
    assert config["Preprocess"][0]["target_size"] == [320, 320]
    assert config["Preprocess"][0]["keep_ratio"] is False
    assert config["Preprocess"][1]["is_scale"] is True


def test_ap_far_from_the_checkpoints_stops_the_export(exported: Exported, tmp_path: Path) -> None:
    wrong = replace(exported.job, out=tmp_path, metrics={"ap50": exported.job.metrics["ap50"] - 0.1})
    with pytest.raises(ExportError, match="AP50 of the ONNX file is"):
        export(replace(wrong, settings=ExportSettings(parity_pictures=1)))
    assert not (tmp_path / "parity.json").exists()


def test_tolerance_exceeded_stops_the_export(exported: Exported, tmp_path: Path) -> None:
    strict = ExportSettings(parity_pictures=2, score_tolerance=1e-12)
    with pytest.raises(ExportError, match="disagree at batch") as caught:
        export(replace(exported.job, out=tmp_path, settings=strict))
    assert "allowed 1e-12" in caught.value.what
    assert not (tmp_path / "parity.json").exists()


def test_missing_weights_are_told(exported: Exported, tmp_path: Path) -> None:
    job = replace(exported.job, out=tmp_path, weights=tmp_path / "none.pdparams")
    with pytest.raises(TrainingError, match=r"none\.pdparams does not exist"):
        export(job)
