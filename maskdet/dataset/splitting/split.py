"""Splits pictures into train and val. Only integers and sha256 decide, so every machine splits alike."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from maskdet.dataset.manifest import Part
from maskdet.dataset.settings import SplitSettings
from maskdet.dataset.splitting.stratify import Group, stratify
from maskdet.errors import DatasetError

# Pictures without objects are dealt like one more class. No class starts with a space, so none has this name.
_NEGATIVES = " negatives"


@dataclass(frozen=True, slots=True)
class Item:
    """A picture to deal: its path, the group that must stay together, and its objects by class."""

    name: str
    group: int
    objects: Mapping[str, int] = field(default_factory=dict)


def split(items: Sequence[Item], settings: SplitSettings) -> dict[str, Part]:
    """The split of each picture, by name.

    - every-nth: the first and every n-th after it of the names sorted by code point go to val, where
      n = (train + val) / val must be an integer.
    - random: in the order of sha256("seed:name"), the first ones go to val, as many as the ratio says.
    - grouped: whole groups are dealt so that classes and pictures come as close to the ratio as possible.

    Raises DatasetError if the ratio does not suit the method, or one part would be empty.
    """
    train, val = _ratio(settings)
    chosen = _METHODS[settings.method](items, train, val, settings.seed)
    if not chosen or len(chosen) == len(items):
        empty = "val" if not chosen else "train"
        groups = len({item.group for item in items})
        what = f"data.split {settings.ratio} of {len(items)} pictures in {groups} groups leaves {empty} empty"
        raise DatasetError(what, "add pictures, or choose another data.split.ratio or data.split.method")
    return {item.name: "val" if item.name in chosen else "train" for item in items}


def split_more(items: Sequence[Item], settings: SplitSettings) -> dict[str, Part]:
    """The split of pictures that join a data set, by name: either part may stay empty.

    Groups too few for the ratio are drawn one by one, so that many small additions come to the ratio too.
    """
    train, val = _ratio(settings)
    groups = {item.group for item in items}
    if len(groups) * val >= 2 * (train + val):
        return split(items, settings)
    firsts = {group: min(item.name for item in items if item.group == group) for group in groups}
    drawn = {
        group for group, name in firsts.items() if int(_order(settings.seed, name), 16) % (train + val) < val
    }
    return {item.name: "val" if item.group in drawn else "train" for item in items}


def _ratio(settings: SplitSettings) -> tuple[int, int]:
    train, val = (int(number) for number in settings.ratio.split(":"))
    return train, val


def _every_nth(items: Sequence[Item], train: int, val: int, seed: int) -> set[str]:
    del seed
    if (train + val) % val:
        what = f"data.split: every-nth cannot split {train}:{val}, as {train + val} / {val} is not an integer"
        raise DatasetError(what, "use a ratio such as 4:1, or the method grouped")
    names = sorted((item.name for item in items), key=lambda name: PurePosixPath(name).name)
    return set(names[:: (train + val) // val])


def _random(items: Sequence[Item], train: int, val: int, seed: int) -> set[str]:
    names = sorted((item.name for item in items), key=lambda name: _order(seed, name))
    return set(names[: _nearest(len(names) * val, train + val)])


def _grouped(items: Sequence[Item], train: int, val: int, seed: int) -> set[str]:
    members: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        members[item.group].append(item)
    groups = [_group(same, seed) for same in members.values()]
    chosen = stratify(groups, train, val)
    dealt = zip(groups, members.values(), strict=True)
    return {item.name for group, same in dealt if group in chosen for item in same}


def _group(items: Sequence[Item], seed: int) -> Group:
    objects: Counter[str] = Counter()
    for item in items:
        objects.update(item.objects or {_NEGATIVES: 1})
    first = min(item.name for item in items)
    return Group(_order(seed, first), len(items), tuple(sorted(objects.items())))


def _order(seed: int, name: str) -> str:
    """A place in the order that depends only on the seed and the name."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def _nearest(numerator: int, denominator: int) -> int:
    """The quotient rounded to the nearest integer, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


_METHODS: dict[str, Callable[[Sequence[Item], int, int, int], set[str]]] = {
    "every-nth": _every_nth,
    "random": _random,
    "grouped": _grouped,
}
