"""The deal to train and val: methods, ratios, groups, classes, and the same on every machine."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from maskdet.dataset.settings import SplitSettings
from maskdet.dataset.splitting.split import Item, split
from maskdet.dataset.splitting.stratify import _Balance
from maskdet.errors import DatasetError

METHODS = ["grouped", "random", "every-nth"]


def items(number: int, groups: int = 0) -> list[Item]:
    """Pictures with crowds now and then, every tenth without objects, a rare class in every twentieth."""
    dice = random.Random(1)  # noqa: S311
    made = []
    for index in range(number):
        objects = {"common": dice.choice((1, 1, 2, 3, 30)), "other": dice.randrange(3)}
        if index % 20 == 7:
            objects["rare"] = 1
        group = index % groups if groups else index
        made.append(Item(f"JPEGImages/{index:04d}.jpg", group, {} if index % 10 == 5 else objects))
    return made


def val_names(dealt: dict[str, str]) -> list[str]:
    return sorted(name for name, part in dealt.items() if part == "val")


def test_every_nth_takes_the_first_and_each_nth_after_it() -> None:
    pictures = items(11)
    dealt = split(pictures[::-1], SplitSettings(method="every-nth"))
    assert val_names(dealt) == [item.name for item in pictures][::5]


@pytest.mark.parametrize(("ratio", "step"), [("1:1", 2), ("9:1", 10), ("8:2", 5)])
def test_every_nth_follows_the_ratio(ratio: str, step: int) -> None:
    dealt = split(items(40), SplitSettings(method="every-nth", ratio=ratio))
    assert val_names(dealt) == [f"JPEGImages/{index:04d}.jpg" for index in range(0, 40, step)]


def test_every_nth_refuses_a_ratio_without_a_whole_n() -> None:
    with pytest.raises(DatasetError, match="every-nth cannot split 3:2"):
        split(items(10), SplitSettings(method="every-nth", ratio="3:2"))


@pytest.mark.parametrize("method", ["grouped", "random"])
@pytest.mark.parametrize(("ratio", "share"), [("4:1", 0.2), ("1:1", 0.5), ("9:1", 0.1), ("1:3", 0.75)])
def test_the_ratio_is_kept(method: str, ratio: str, share: float) -> None:
    dealt = split(items(400), SplitSettings(method=method, ratio=ratio))
    assert len(val_names(dealt)) == pytest.approx(400 * share, abs=4)


def test_grouped_deals_each_class_and_the_negatives_in_proportion() -> None:
    pictures = items(400)
    dealt = split(pictures, SplitSettings())
    for label in ("common", "other", "rare"):
        counts = Counter()
        for item in pictures:
            counts[dealt[item.name]] += item.objects.get(label, 0)
        assert counts["val"] / counts.total() == pytest.approx(0.2, abs=0.02), label
    negatives = [dealt[item.name] for item in pictures if not item.objects]
    assert negatives.count("val") == pytest.approx(len(negatives) / 5, abs=1)


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_class_of_few_pictures_reaches_both_sides(number: int) -> None:
    pictures = [
        Item(f"{index:03d}", index, {"rare": 1} if index < number else {"common": 1}) for index in range(60)
    ]
    for seed in range(5):
        dealt = split(pictures, SplitSettings(seed=seed))
        assert {dealt[item.name] for item in pictures[:number]} == {"train", "val"}


@pytest.mark.parametrize("groups", [7, 60, 150])
def test_groups_stay_on_one_side(groups: int) -> None:
    pictures = items(300, groups)
    dealt = split(pictures, SplitSettings())
    sides = {(item.group, dealt[item.name]) for item in pictures}
    assert len(sides) == groups


@pytest.mark.parametrize("method", ["grouped", "random"])
def test_the_seed_decides_and_the_order_of_the_pictures_does_not(method: str) -> None:
    pictures = items(100)
    first = split(pictures, SplitSettings(method=method, seed=1))
    assert split(pictures[::-1], SplitSettings(method=method, seed=1)) == first
    assert split(pictures, SplitSettings(method=method, seed=2)) != first


def test_groups_alike_are_weighed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of pictures with few kinds of content are no more work to weigh than those kinds."""
    pictures = items(3000)
    kinds = {tuple(sorted(item.objects.items())) for item in pictures}
    weighed, moved = [], []
    cost, move = _Balance._cost, _Balance._move
    monkeypatch.setattr(_Balance, "_cost", lambda *given: (weighed.append(1), cost(*given))[1])
    monkeypatch.setattr(_Balance, "_move", lambda *given: (moved.append(1), move(*given))[1])
    split(pictures, SplitSettings())
    assert len(moved) > 5
    assert len(weighed) <= (2 * len(kinds) + 1) * (len(moved) + 1)
    assert len(kinds) < 50


def test_the_deal_is_the_same_on_every_machine() -> None:
    """Written down once: a change here changes everyone's split."""
    pictures = items(30)
    dealt = {
        method: [
            int(name[-8:-4]) for name in val_names(split(pictures, SplitSettings(method=method, seed=7)))
        ]
        for method in METHODS
    }
    assert dealt == {
        "grouped": [7, 11, 14, 18, 20, 25],
        "random": [8, 9, 17, 20, 21, 23],
        "every-nth": [0, 5, 10, 15, 20, 25],
    }


@pytest.mark.parametrize(
    ("method", "pictures", "empty"),
    [
        ("random", items(1), "val"),
        ("random", items(2), "val"),
        ("grouped", items(1), "val"),
        ("grouped", items(20, 1), "val"),
        ("every-nth", items(1), "train"),
    ],
)
def test_an_empty_side_is_an_error(method: str, pictures: list[Item], empty: str) -> None:
    with pytest.raises(DatasetError, match=f"leaves {empty} empty"):
        split(pictures, SplitSettings(method=method))
