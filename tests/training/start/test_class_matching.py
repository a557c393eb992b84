from __future__ import annotations

import pytest

from maskdet.training.start.class_matching import related

THREE = ("with_mask", "without_mask", "mask_weared_incorrect")


@pytest.mark.parametrize(
    ("labels", "known", "places"),
    [
        (THREE, THREE, [0, 1, 2]),
        (("mask_weared_incorrect", "with_mask", "without_mask"), THREE, [2, 0, 1]),
        (("With Mask", "WITHOUT-MASK"), THREE, [0, 1]),
        (("face", "face_mask"), THREE, [1, 0]),
        (("MASK", "NO MASK"), THREE, [0, 1]),
        (("mask", "no_mask", "mask_worn_incorrectly"), THREE, [0, 1, 2]),
        (("incorrect_mask", "improper"), THREE, [2, 2]),
        (THREE, ("face_mask", "face"), [0, 1, None]),
        (("戴口罩", "未戴口罩"), THREE, [0, 1]),
        (("face",), THREE, [None]),
        (THREE, ("face",), [None, None, None]),
        (("helmet", "person"), THREE, [None, None]),
        (("mask_n95",), THREE, [0]),
        (("nomad_mask",), THREE, [None]),
        (("mask_off", "maskless", "口罩佩戴不规范"), THREE, [1, 1, 2]),
        ((), THREE, []),
    ],
)
def test_names_that_mean_the_same(
    labels: tuple[str, ...], known: tuple[str, ...], places: list[int | None]
) -> None:
    assert related(labels, known, {}) == places


def test_the_users_word_goes_first() -> None:
    chosen = {"with_mask": None, "face": "mask_weared_incorrect"}
    assert related(("with_mask", "face", "without_mask"), THREE, chosen) == [None, 2, 1]


def test_a_role_that_the_user_gave_goes_before_what_the_name_says() -> None:
    assert related(("helmet", "mask"), THREE, {}, {"helmet": "bare", "mask": "worn-wrong"}) == [1, 2]


def test_the_same_name_goes_before_the_same_meaning() -> None:
    assert related(("mask",), ("with_mask", "mask"), {}) == [1]
