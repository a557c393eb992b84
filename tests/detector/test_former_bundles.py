"""Bundles of earlier versions: a later one reads them, and answers the same (docs/stability.md)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from trained import REPO
from typer.testing import CliRunner

from maskdet.cli.app import app
from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import read_picture

FIXTURES = REPO / "tests" / "fixtures"
PICTURES = REPO / "data" / "sample" / "JPEGImages"
BUNDLES = sorted(FIXTURES.glob("bundle-*"))


def test_there_is_a_bundle() -> None:
    assert FIXTURES / "bundle-0.1.0" in BUNDLES


@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
def test_the_answers_are_those_of_its_time(folder: Path) -> None:
    detector = Detector(load_bundle(folder / "model.onnx"))
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    assert sum(map(len, answers.values())) >= 5
    for name, wanted in answers.items():
        place = folder if (folder / name).is_file() else PICTURES
        found = detector.detect(read_picture(place / name))
        assert [detector.meta.labels[number] for number in found.class_ids] == [
            one["label"] for one in wanted
        ]
        assert found.scores.tolist() == pytest.approx([one["score"] for one in wanted], abs=1e-4)
        for box, one in zip(found.boxes.tolist(), wanted, strict=True):
            assert box == pytest.approx(one["box"], abs=0.01)


@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
def test_nothing_of_its_metadata_is_lost(folder: Path) -> None:
    meta = load_bundle(folder / "model.onnx").meta
    assert meta.calibration is not None
    assert meta.profile is not None
    assert meta.threshold_policy.name == "safe"
    done = CliRunner().invoke(app, ["inspect", str(folder / "model.onnx"), "--json"])
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)["bundle"]
    assert shown["labels"] == list(meta.labels)
    assert shown["thresholds"] == meta.thresholds
    assert shown["metrics"] == meta.metrics
