from __future__ import annotations

import pytest

from maskdet.detector.roles import label_roles


@pytest.mark.parametrize(
    ("label", "role"),
    [
        ("with_mask", "masked"),
        ("face_mask", "masked"),
        ("Masked", "masked"),
        ("戴口罩", "masked"),
        ("without_mask", "bare"),
        ("no mask", "bare"),
        ("NoMask", "bare"),
        ("unmasked", "bare"),
        ("未戴口罩", "bare"),
        ("mask_weared_incorrect", "worn-wrong"),
        ("Improperly masked", "worn-wrong"),
        ("未正确佩戴口罩", "worn-wrong"),
        ("helmet", None),
        ("face", None),
    ],
)
def test_a_role_is_told_by_the_name(label: str, role: str | None) -> None:
    assert label_roles([label]).get(label) == role


def test_a_plain_face_beside_masks_is_bare() -> None:
    assert label_roles(["face", "face_mask"]) == {"face": "bare", "face_mask": "masked"}


def test_a_given_role_goes_before_the_name() -> None:
    assert label_roles(["helmet", "with_mask"], {"helmet": "bare"}) == {
        "helmet": "bare",
        "with_mask": "masked",
    }
