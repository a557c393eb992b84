"""Names to classes: aliases, unknown names with a guess, slips of the pen."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from maskdet.dataset.checking.labels import LabelBook, is_slip, read_labels
from maskdet.dataset.settings import DataSettings
from maskdet.errors import UsageError


def settings(**values: object) -> DataSettings:
    return DataSettings(root=Path("set"), **values)


def read(names: Counter[str], chosen: DataSettings) -> LabelBook:
    """The book of the only root."""
    return read_labels({"set": names}, chosen)["set"]


@pytest.mark.parametrize(
    ("name", "other", "slip"),
    [
        ("face_nask", "face_mask", True),
        ("with_maks", "with_mask", True),
        ("With Mask", "with_mask", True),
        ("with-mask", "with_mask", True),
        ("with_mas", "with_mask", True),
        ("with_maskk", "with_mask", True),
        ("without_mask", "with_mask", False),
        ("unmasked", "masked", False),
        ("no_mask", "mask", False),
        ("n95", "n96", False),
        ("mask1", "mask2", False),
        ("on", "no", False),
        ("man", "men", False),
        ("未戴口罩", "已戴口罩", False),
        ("戴口罩", "未戴口罩", False),
    ],
)
def test_slips(name: str, other: str, slip: bool) -> None:
    assert is_slip(name, other) is slip
    assert is_slip(other, name) is slip


def test_a_rare_slip_is_a_fault_and_names_what_was_meant() -> None:
    book = read(Counter({"with_mask": 50, "with_nask": 1, "without_mask": 9}), settings())
    assert book.classes == {"with_mask": "with_mask", "without_mask": "without_mask"}
    fault = book.faults["with_nask"]
    assert fault.code == "label-misspelt"
    assert "did you mean with_mask?" in fault.hint
    assert "data.aliases" in fault.hint


@pytest.mark.parametrize("number", [1, 20, 29])
def test_another_spelling_is_a_fault_however_frequent(number: int) -> None:
    book = read(Counter({"with_mask": 30, "With Mask": number, "without_mask": 9}), settings())
    assert set(book.faults) == {"With Mask"}


def test_of_two_spellings_as_frequent_one_is_the_class() -> None:
    assert set(read(Counter({"with_mask": 20, "With Mask": 20}), settings()).faults) == {"with_mask"}


@pytest.mark.parametrize("labels", [("with_mask", "with_mask"), ("with_mask", "bare", "With Mask")])
def test_a_class_is_named_once(labels: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="are one class"):
        read(Counter({"with_mask": 3}), settings(labels=labels))


def test_two_like_names_of_like_frequency_are_two_classes() -> None:
    assert not read(Counter({"mask": 20, "masks": 15}), settings()).faults


@pytest.mark.parametrize(
    "chosen", [{"aliases": {"with_nask": "with_mask"}}, {"labels": ("with_mask", "with_nask")}]
)
def test_a_slip_that_the_settings_speak_of_is_none(chosen: dict[str, object]) -> None:
    book = read(Counter({"with_mask": 50, "with_nask": 1}), settings(**chosen))
    assert not book.faults
    assert book.classes["with_nask"] == ("with_mask" if "aliases" in chosen else "with_nask")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("with_nask", "did you mean with_mask?"),
        ("WITH_MASK", "did you mean with_mask?"),
        ("cat", "data.labels has with_mask, without_mask"),
    ],
)
def test_unknown_names(name: str, hint: str) -> None:
    book = read(Counter({name: 3}), settings(labels=("with_mask", "without_mask")))
    assert book.faults[name].code == "label-unknown"
    assert hint in book.faults[name].hint


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"labels": ()}, "is not a list of names"),
        ({"labels": ("a", " ")}, "is not a list of names"),
        ({"labels": ("mask",), "aliases": {"x": "mash"}}, "x stands for mash"),
    ],
)
def test_settings_that_contradict_themselves(chosen: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(Counter({"mask": 1}), settings(**chosen))
