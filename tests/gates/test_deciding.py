"""The pictures that decide, as data and drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gates_val import BARE, BARE_LOOKS_MASKED, DIM, LABELS, MASKED, Val, settings
from PIL import Image

from maskdet.gates.report import GateReport
from maskdet.gates.sheet import draw_deciding, draw_sides
from maskdet.pipeline.release.gating import explain_gates, write_gates
from maskdet.types import ANY_CLASS


@pytest.fixture(scope="module")
def report(val: Val) -> GateReport:
    """The challenger answers faint faces too: some are masked, some are bare."""
    champion = val.model("deciding-champion", thresholds={MASKED: 0.5, BARE: 0.5})
    return val.judge(val.model("deciding", thresholds={MASKED: 0.3, BARE: 0.5}), champion, settings())


def test_regressions_and_gains_are_told_apart(report: GateReport) -> None:
    assert {int(each.picture[:3]) for each in report.gains} <= set(DIM)
    assert {int(each.picture[:3]) for each in report.regressions} == set(BARE_LOOKS_MASKED)
    assert {each.challenger.bare_passed for each in report.regressions} == {1}
    told = report.to_json()["deciding"]["gains"][0]
    assert told["gain"] == 1
    assert len(told["challenger"]["found"]) == len(told["champion"]["found"]) + 1 == 4
    assert told["challenger"]["found"][-1]["label"] == MASKED
    assert [face["label"] for face in told["truth"]].count(BARE) == 2


def test_the_files_are_whole_and_plain_json(report: GateReport, val: Val, tmp_path: Path) -> None:
    write_gates(report, tmp_path / "gates")
    written = json.loads((tmp_path / "gates" / "gates.json").read_text())
    assert written["passed"] is report.passed
    assert [rule["name"] for rule in written["rules"]] == [ruling.name for ruling in report.rulings]
    assert "## Best gains" in (tmp_path / "gates" / "gates.md").read_text()

    explain_gates(report, val.whole.files, tmp_path / "why")
    drawn = {path.name for path in (tmp_path / "why").iterdir()}
    assert drawn == {"gains.png", "regressions.png", "deciding.json"}
    with Image.open(tmp_path / "why" / "gains.png") as sheet:
        assert sheet.height > len(report.gains) * 420


def test_both_answers_are_drawn_side_by_side(report: GateReport, val: Val, tmp_path: Path) -> None:
    sides = draw_sides(report.gains[0], val.whole.files, 200)
    assert {picture.shape for picture in sides} == {(200, 200, 3)}
    assert not np.array_equal(sides.champion, sides.challenger)
    draw_deciding(report.gains[:2], val.whole.files, tmp_path / "two.png")
    with Image.open(tmp_path / "two.png") as sheet:
        assert sheet.width == 3 * 420 + 4 * 12


def test_a_face_of_none_of_the_labels_is_there_once(report: GateReport, val: Val) -> None:
    truth = report.gains[0].truth
    class_ids = np.array([*truth.class_ids[:-1], ANY_CLASS], np.int64)
    one = replace(report.gains[0], truth=replace(truth, class_ids=class_ids))
    told = one.to_json()["truth"]
    assert [face["label"] for face in told].count(None) == 1
    known, other = (draw_sides(each, val.whole.files, 200).labelled for each in (report.gains[0], one))
    assert not np.array_equal(known, other)


def test_labels_are_those_of_the_data(report: GateReport) -> None:
    assert report.gains[0].labels == LABELS
