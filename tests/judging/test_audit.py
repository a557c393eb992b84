"""The audit of labels: planted errors come first, and what is right is not disputed."""

from __future__ import annotations

import csv
import json
import os
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from audited import ERRORS, planted_manifest
from support import LABELS, write_tiny_bundle

from maskdet.dataset.manifest import Manifest
from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.judging.audit.audit import audit
from maskdet.judging.audit.certainty import Certainty
from maskdet.judging.audit.disputes import Dispute, compare
from maskdet.judging.audit.report import write_audit
from maskdet.types import Detections, GroundTruth

HALF = np.full(3, 0.5, np.float32)
FACE, SHIFTED, ELSEWHERE = (10, 10, 30, 30), (16, 10, 36, 30), (60, 60, 80, 80)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planted")


@pytest.fixture(scope="module")
def manifest(root: Path) -> Manifest:
    return planted_manifest(root)


@pytest.fixture(scope="module")
def bundle(root: Path) -> Bundle:
    return load_bundle(write_tiny_bundle(root / "tiny.onnx"))


def test_planted_errors_are_what_it_finds(root: Path, manifest: Manifest, bundle: Bundle) -> None:
    result = audit(bundle, manifest, part="all", most=10)
    assert (result.pictures, result.labels) == (30, 29)
    assert result.disputed == {"missing": 1, "swapped": 1, "misplaced": 1}
    found = {int(suspect.picture[5:7]): suspect.kind for suspect in result.suspects}
    assert found == ERRORS
    scores = [suspect.suspicion for suspect in result.suspects]
    assert scores == sorted(scores, reverse=True)
    missing, swapped = (next(s for s in result.suspects if s.kind == k) for k in ("missing", "swapped"))
    assert (missing.label, missing.said, missing.suspicion) == (None, LABELS[0], 1.0)
    assert (swapped.label, swapped.said, swapped.suspicion) == (LABELS[0], LABELS[2], 1.0)


def test_a_part_and_a_number_limit_it(root: Path, manifest: Manifest, bundle: Bundle) -> None:
    assert audit(bundle, manifest, part="val", most=10).suspects == ()
    assert audit(bundle, manifest, part="train", most=10).pictures == 24
    first = audit(bundle, manifest, part="all", most=1)
    assert (len(first.suspects), sum(first.disputed.values())) == (1, 3)


def test_a_class_that_the_model_lacks_is_no_error(root: Path, manifest: Manifest, tmp_path: Path) -> None:
    lesser = load_bundle(write_tiny_bundle(tmp_path / "two.onnx", labels=LABELS[:2]))
    result = audit(lesser, manifest, part="all", most=10)
    assert {suspect.kind for suspect in result.suspects} <= {"missing", "swapped"}
    assert all(LABELS[2] not in (suspect.label, suspect.said) for suspect in result.suspects)
    assert any("no class for mask_weared_incorrect" in note for note in result.notes)


def truth(*boxes: tuple[float, ...], classes: tuple[int, ...] = (0,), difficult: bool = False) -> GroundTruth:
    count = len(boxes)
    return GroundTruth(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(classes[:count], np.int64),
        np.full(count, difficult),
    )


def found(*rows: tuple[tuple[float, ...], float, int]) -> Detections:
    boxes, scores, ids = zip(*rows, strict=True) if rows else ((), (), ())
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.array(ids, np.int64)
    )


@pytest.mark.parametrize(
    ("labels", "said", "kinds"),
    [
        (truth(FACE), found((FACE, 0.9, 0)), []),
        (truth(FACE), found((FACE, 0.9, 1)), ["swapped"]),
        (truth(FACE), found((SHIFTED, 0.9, 0)), ["misplaced"]),
        (truth(FACE), found((ELSEWHERE, 0.9, 0)), ["missing"]),
        (truth(), found((FACE, 0.9, 0)), ["missing"]),
        (truth(FACE), found((FACE, 0.4, 1)), []),
        (truth(FACE), found(), []),
        (truth(FACE, difficult=True), found((FACE, 0.9, 1)), []),
        (truth(FACE, difficult=True), found((SHIFTED, 0.9, 0)), []),
        # A second box on a labelled face is the model's mistake, not the label's.
        (truth(FACE), found((FACE, 0.9, 0), ((10, 10, 30, 21), 0.8, 0)), []),
        # The face has one answer: the class with the higher ratio of score to threshold.
        (truth(FACE), found((FACE, 0.9, 0), (FACE, 0.8, 1)), []),
    ],
)
def test_what_is_disputed(labels: GroundTruth, said: Detections, kinds: list[str]) -> None:
    assert [dispute.kind for dispute in compare(labels, said, HALF).disputes] == kinds


def test_a_label_that_the_model_half_believes_is_less_suspicious() -> None:
    certainty = Certainty([(0, score / 20) for score in range(20)] + [(1, score / 20) for score in range(20)])
    doubted = compare(truth(FACE), found((FACE, 0.9, 1), (FACE, 0.45, 0)), HALF).disputes[0]
    alone = compare(truth(FACE), found((FACE, 0.9, 1)), HALF).disputes[0]
    assert (doubted.own_score, alone.own_score) == (pytest.approx(0.45), 0)
    assert certainty.suspicion(doubted, 1, 0.9, 0) < 0.6 < certainty.suspicion(alone, 1, 0.9, 0)


def test_certainty_is_the_share_of_confirmed_faces_that_score_less() -> None:
    certainty = Certainty([(0, 0.5)] * 5 + [(0, 0.9)] * 5 + [(1, 0.7)])
    assert certainty.of(0, 0.6) == 0.5
    assert certainty.of(0, 0.9) == 0.75
    assert certainty.of(1, 0.6) == 5 / 11, "too few of its own: those of all classes"
    assert Certainty([]).of(0, 0.6) == 0.6
    assert Certainty([]).suspicion(Dispute("missing", None, 0, 0.25, 0.0), 0, 0.8, None) == 0.8 * 0.75


def test_a_picture_on_another_drive_is_linked_by_its_address(
    root: Path, manifest: Manifest, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = audit(bundle, manifest, part="all", most=10)
    monkeypatch.setattr(os.path, "relpath", Mock(side_effect=ValueError("path is on mount 'D:'")))
    write_audit(result, manifest, tmp_path, tmp_path)
    links = re.findall(r'<a href="([^"]*)"', (tmp_path / "index.html").read_text(encoding="utf-8"))
    assert {unescape(link) for link in links} == {
        manifest.files[suspect.picture].resolve().as_uri() for suspect in result.suspects
    }
    assert any("%20" in link and "%25" not in link for link in links)


def test_the_page_holds_all_and_reaches_for_nothing(
    root: Path, manifest: Manifest, bundle: Bundle, tmp_path: Path
) -> None:
    result = audit(bundle, manifest, part="all", most=10)
    hostile = replace(result.suspects[0], said="<img src=x onerror=alert(1)>")
    result = replace(result, suspects=(hostile, *result.suspects[1:]), notes=("a <note>",))
    write_audit(result, manifest, tmp_path, tmp_path)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert text.count('<article class="card"') == 3
    assert text.count("data:image/jpeg;base64,") == 3
    assert "<img" not in text
    assert "a&lt;b&gt; 03.png" in text
    assert "a &lt;note&gt;" in text
    assert re.findall(r'(?:src|href)="(?!data:|\.\.?/)[^"]*"|https?://', text) == []
    assert "标注为 with_mask；模型判为 mask_weared_incorrect" in text
    rows = list(csv.DictReader((tmp_path / "suspects.csv").read_text(encoding="utf-8").splitlines()))
    told = json.loads((tmp_path / "suspects.json").read_text(encoding="utf-8"))
    assert [row["kind"] for row in rows] == [one["kind"] for one in told["suspects"]]
    assert [row["picture"] for row in rows] == [suspect.picture for suspect in result.suspects]
    assert told["disputed"] == {"missing": 1, "swapped": 1, "misplaced": 1}
