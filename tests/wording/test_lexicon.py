"""What names say: spellings of public data sets, negation word by word, and names that do not tell."""

from __future__ import annotations

import time

import pytest

from maskdet.wording.lexicon import label_roles, named_role, same_spelling, unknown_roles

MASKED = """
with_mask, With Mask, WithMask, withmask, with-mask, mask, Mask, MASK, masks, masked, Masked,
face_mask, Face Mask, facemask, faceMask, masked_face, face_with_mask, mask_on, maskon, MaskOn,
mask_yes, wearing_mask, wearing mask, wears a mask, have_mask, has_mask, w_mask, correct_mask,
rightmask, proper_mask, mask_worn_correctly, mask_weared_correct, properly masked,
face_with_mask_correct, mask_covers_nose_and_mouth, surgical_mask, mask_n95, N95 mask,
person_with_mask, mask detected, 戴口罩, 已戴口罩, 带口罩, 佩戴口罩, 戴着口罩, 戴了口罩, 口罩,
有口罩, 正确佩戴口罩, 规范佩戴口罩, 戴口罩的人, 口罩人脸, 医用口罩
"""
BARE = """
without_mask, Without Mask, WithoutMask, withoutMask, withoutmask, w/o mask, w/o_mask, wo_mask,
no_mask, no-mask, NO MASK, NoMask, nomask, NOMASK, noMask, no_face_mask, face_no_mask,
face_without_mask, Without Face Mask, no_mask_on, mask_no, no mask detected, unmasked, Unmasked,
unmasked_face, un-masked, unmask, mask_off, maskoff, MaskOff, not_masked, notmasked, not_mask,
nonmask, non_mask, non-masked, maskless, mask-less, mask_free, not wearing mask, not_wearing_a_mask,
not wearing face mask, isn't wearing a mask, doesn’t wear a mask, mask_not_worn, mask_removed,
missing_mask, bare, bare_face, bareface, 未戴口罩, 未佩戴口罩, 未带口罩, 没戴口罩, 没带口罩,
没有戴口罩, 没有口罩, 不戴口罩, 无口罩, 無口罩, 沒有戴口罩, 未戴口罩的人脸, 摘口罩, 摘下口罩,
脱口罩, 未 戴 口罩
"""
WORN_WRONG = """
mask_weared_incorrect, mask_worn_incorrectly, Mask Worn Incorrectly, mask_worn_incorrect,
incorrect_mask, incorrectly_masked_face, IncorrectMask, mask-incorrect, with_mask_incorrect,
face_with_mask_incorrect, faceWithMaskIncorrect, incorrect, incorrectly_worn, improper,
improper_mask, improperly_masked, Improperly Worn Mask, wrong_mask, wrongmask, mask_wrong,
not_worn_correctly, mask_not_worn_correctly, not wearing mask properly, not_properly_masked,
wearing masks incorrectly, uncorrect_mask, non_compliant_mask, badly_worn_mask, partially_masked,
Partially Masked, loose_mask, mask_down, mask_hanging, mask_below, mask_under_nose, mask_below_nose,
mask under the chin, chin_mask, mask_chin, mask_on_chin, mask_mouth_chin, nose_out, NoseOut,
nose_exposed, uncovered_nose, uncovered nose, uncovered nose and mouth, uncovered_chin,
mask_nose_visible, nose_not_covered, mask_not_covering_nose, 口罩佩戴不规范, 不规范佩戴口罩,
未正确佩戴口罩, 没有正确戴口罩, 不正确佩戴口罩, 错误佩戴口罩, 戴错口罩, 口罩没戴好, 佩戴口罩不当,
口罩未遮住鼻子, 露鼻, 露出鼻子, 口罩露鼻, 口罩戴在下巴, 口罩脱落, 未规范佩戴, 非正常佩戴口罩
"""
UNTOLD = """
0, class_1, helmet, person, people, head, hat, none, no, yes, not, good, bad, correct, compliant,
noncompliant, wearing, not_wearing, face_shield, gas_mask
"""
# An unknown word may turn a name around, whatever letters it is made of.
UNKNOWN_WORDS = """
nomad_mask, nomadmask, damask, anti_mask, unmaskable, womask, masquerade, mask_store, carnival_mask,
sleep mask, half_mask, no_mask_required, unknown_mask, mask2, mask_x
"""
# Both cases in one name, or a denial denied.
CONTRADICTIONS = """
mask_and_no_mask, with_or_without_mask, mask_on_off, not_unmasked, not_without_mask,
not_incorrect_mask, bare_mask, 戴口罩和未戴口罩, 没有不戴口罩
"""
# Something covers a face; whether that is a mask is not said.
NOT_A_MASK = """
face_other_covering, covered_face, covered_nose, nose_mask, mask_nose_mouth, mouth_mask,
mask_covering_chin, no_face, nose, chin, 面罩, 安全帽, 人, 未佩戴, 戴, 是否戴口罩
"""


def names(text: str) -> list[str]:
    return " ".join(text.split()).split(", ")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *((name, "masked") for name in names(MASKED)),
        *((name, "bare") for name in names(BARE)),
        *((name, "worn-wrong") for name in names(WORN_WRONG)),
        *(
            (name, None)
            for text in (UNTOLD, UNKNOWN_WORDS, CONTRADICTIONS, NOT_A_MASK)
            for name in names(text)
        ),
        *((name, None) for name in ("", "_", "face", "Face", "人脸", "mask" * 40)),
    ],
)
def test_a_role_is_told_by_the_words_of_a_name(name: str, role: str | None) -> None:
    assert named_role(name) == role


def test_a_name_that_can_be_parted_in_many_ways_takes_no_time() -> None:
    # Each `nonon` is no-non or non-on, so there are 2^15 ways to part what comes before the unknown letter.
    name = "nonon" * 15 + "x"
    begin = time.process_time()

    assert named_role(name) is None
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("labels", "bare"),
    [
        (("face", "face_mask"), ["face"]),
        (("mask", "Human Face"), ["Human Face"]),
        (("人脸", "戴口罩"), ["人脸"]),
        (("face", "mask", "mask_weared_incorrect"), ["face"]),
        (("face",), []),
        (("face", "mask_weared_incorrect"), []),
        (("face", "nomad_mask"), []),
        # Where bare faces have a class, a further `face` may be any.
        (("face", "with_mask", "without_mask"), ["without_mask"]),
    ],
)
def test_a_plain_face_is_bare_beside_masked_ones_only(labels: tuple[str, ...], bare: list[str]) -> None:
    assert [label for label, role in label_roles(labels).items() if role == "bare"] == bare


def test_a_given_role_goes_before_the_name() -> None:
    roles = label_roles(["helmet", "with_mask", "visor"], {"helmet": "bare", "with_mask": "worn-wrong"})

    assert roles == {"helmet": "bare", "with_mask": "worn-wrong"}
    assert unknown_roles(["helmet", "with_mask", "visor"], roles) == ("visor",)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("with_mask", "With Mask", True),
        ("NoMask", "no-mask", True),
        ("戴_口罩", "戴口罩", True),
        ("mask", "masks", False),
        ("-", "_", False),
    ],
)
def test_spellings(one: str, other: str, same: bool) -> None:
    assert same_spelling(one, other) is same
