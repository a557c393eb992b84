from __future__ import annotations

import numpy as np
import pytest

from maskdet.detector.answer import answer
from maskdet.detector.verdict import MaskRule, Verdict
from maskdet.types import Detections, FloatArray
from maskdet.wording.lexicon import label_roles

LABELS = ("with_mask", "without_mask", "mask_weared_incorrect")
FACE, ELSEWHERE = (0.0, 0.0, 10.0, 10.0), (50.0, 0.0, 60.0, 10.0)
SAME_FACE = (1.0, 0.0, 11.0, 10.0)
Row = tuple[int, float, tuple[float, float, float, float]]


def detections(*rows: Row) -> Detections:
    if not rows:
        return Detections.empty()
    class_ids, scores, boxes = zip(*rows, strict=True)
    return Detections(
        np.array(boxes, np.float32), np.array(scores, np.float32), np.array(class_ids, np.int64)
    )


def judge(rule: MaskRule, found: Detections, thresholds: FloatArray) -> Verdict:
    return rule.judge(found, answer(found, thresholds), thresholds)


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([], "ok"),
        ([(0, 0.9, FACE)], "ok"),
        ([(1, 0.9, FACE)], "violation"),
        ([(2, 0.5, FACE)], "violation"),
        ([(0, 0.9, FACE), (1, 0.6, ELSEWHERE)], "violation"),
        ([(1, 0.45, FACE)], "uncertain"),
        ([(0, 0.45, FACE)], "uncertain"),
        ([(1, 0.41, FACE)], "uncertain"),
        ([(1, 0.3, FACE)], "ok"),
        ([(0, 0.9, FACE), (1, 0.45, ELSEWHERE)], "uncertain"),
        ([(0, 0.9, FACE), (1, 0.45, SAME_FACE)], "ok"),
        ([(1, 0.9, FACE), (0, 0.45, ELSEWHERE)], "violation"),
    ],
)
def test_outcome(rows: list[Row], outcome: str) -> None:
    rule = MaskRule.of(LABELS, label_roles(LABELS), None, band=0.1)

    verdict = judge(rule, detections(*rows), np.full(3, 0.5, np.float32))

    assert verdict.outcome == outcome


def test_counts_name_every_label() -> None:
    rule = MaskRule.of(LABELS, label_roles(LABELS), None, band=0.1)

    verdict = judge(
        rule, detections((0, 0.9, FACE), (0, 0.6, ELSEWHERE), (1, 0.45, FACE)), np.full(3, 0.5, np.float32)
    )

    assert verdict.counts == {"with_mask": 2, "without_mask": 0, "mask_weared_incorrect": 0}


@pytest.mark.parametrize(
    ("labels", "violations"),
    [
        (LABELS, {"without_mask", "mask_weared_incorrect"}),
        (("mask", "no_mask"), {"no_mask"}),
        (("MASK", "NO MASK"), {"NO MASK"}),
        (("face", "face_mask"), {"face"}),
        (("masked", "unmasked"), {"unmasked"}),
        (("with_mask", "incorrect_mask", "no-face-mask"), {"incorrect_mask", "no-face-mask"}),
        (("戴口罩", "未戴口罩"), {"未戴口罩"}),
        (("mask", "mask_off", "not wearing mask"), {"mask_off", "not wearing mask"}),
        (("face", "person"), set()),
    ],
)
def test_labels_that_break_the_rule(labels: tuple[str, ...], violations: set[str]) -> None:
    rule = MaskRule.of(labels, label_roles(labels), None, band=0.1)

    assert rule.violations == violations


def test_labels_that_break_the_rule_can_be_named() -> None:
    rule = MaskRule.of(LABELS, label_roles(LABELS), ["mask_weared_incorrect"], band=0.1)

    verdict = judge(rule, detections((1, 0.9, FACE)), np.full(3, 0.5, np.float32))

    assert verdict.outcome == "ok"


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([(0, 0.9, FACE)], "ok"),
        ([(2, 0.9, FACE)], "uncertain"),
        ([(0, 0.9, FACE), (2, 0.6, ELSEWHERE)], "uncertain"),
        ([(1, 0.9, FACE), (2, 0.6, ELSEWHERE)], "violation"),
        ([(2, 0.3, FACE)], "ok"),
    ],
)
def test_a_face_of_which_nobody_said_what_it_wears_is_never_ok(rows: list[Row], outcome: str) -> None:
    labels = ("mask", "no_mask", "visor")
    rule = MaskRule.of(labels, label_roles(labels), None, band=0.1)

    verdict = judge(rule, detections(*rows), np.full(3, 0.5, np.float32))

    assert (verdict.outcome, rule.keeps("mask"), rule.keeps("no_mask"), rule.keeps("visor")) == (
        outcome,
        True,
        False,
        None,
    )


def test_an_operator_who_names_what_breaks_the_rule_says_that_all_else_keeps_it() -> None:
    labels = ("mask", "no_mask", "visor")
    rule = MaskRule.of(labels, label_roles(labels), ["no_mask"], band=0.1)

    assert [rule.keeps(label) for label in labels] == [True, False, True]
