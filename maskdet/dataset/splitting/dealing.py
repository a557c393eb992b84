"""Deals checked pictures to train and val, so that what was val stays val and nothing like it trains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from maskdet.dataset.checking.check import Check
from maskdet.dataset.findings import Finding
from maskdet.dataset.manifest import Part
from maskdet.dataset.settings import DataSettings
from maskdet.dataset.splitting.frozen import FrozenPicture, FrozenVal
from maskdet.dataset.splitting.split import Item, split, split_more
from maskdet.dataset.splitting.val_place import LeftOut, Pairs, ValPlace
from maskdet.errors import DatasetError

_FAR = 0.05
"""Difference of val's share from data.split.ratio that is worth telling."""


@dataclass(frozen=True, slots=True)
class Dealt:
    """The parts by name of the picture; those left out have none.

    gone: frozen pictures not in the data; bound: names of pictures that an earlier prepare has dealt.
    """

    parts: Mapping[str, Part]
    left_out: tuple[LeftOut, ...] = ()
    gone: tuple[FrozenPicture, ...] = ()
    bound: frozenset[str] = frozenset()
    overruled: tuple[str, ...] = ()
    """Names of pictures that a list has as train, and that stay val as the file of data.frozen_val says."""

    def findings(self, settings: DataSettings) -> Iterator[Finding]:
        """Each picture left out with its pair, each one that is gone, and a ratio that could not be kept."""
        yield from self._other_ratio(settings)
        yield from self._other_lists(settings)
        for each in self.left_out:
            said = f"left out: like {each.like}, which is val ({each.how})"
            yield Finding("val-duplicate", each.name, said)
        roots = {root.name: root.root for root in settings.every_root}
        for one in self.gone:
            there = one.root in roots and (roots[one.root] / one.picture).is_file()
            now = "is on disk, but could not be used or has changed" if there else "is gone"
            yield Finding("val-missing", f"{one.root}/{one.picture}", f"val since {one.entered[:10]}, {now}")

    def _other_ratio(self, settings: DataSettings) -> Iterator[Finding]:
        val, count = sum(self.parts[name] == "val" for name in self.bound), len(self.bound)
        if settings.frozen_val is not None and count and _too_far(val, count, settings.split.ratio):
            said = (
                f"an earlier prepare dealt {count} pictures, {val} of them to val: they stay there, whatever "
                f"data.split says ({settings.split.ratio}); set data.frozen_val to a new file to split anew"
            )
            yield Finding("split-frozen", settings.frozen_val.name, said)

    def _other_lists(self, settings: DataSettings) -> Iterator[Finding]:
        if settings.frozen_val is not None and self.overruled:
            said = (
                f"{len(self.overruled)} pictures that ImageSets/Main lists as train were val before and stay "
                f"val, such as {self.overruled[0]}; set data.frozen_val to a new file to follow the lists"
            )
            yield Finding("split-frozen", settings.frozen_val.name, said)


def _too_far(val: int, count: int, ratio: str) -> bool:
    """Whether another split of `count` pictures would come closer to the ratio by more than rounding."""
    train, share = (int(part) for part in ratio.split(":"))
    return abs(val / count - share / (train + share)) > max(_FAR, 1.5 / count)


def deal(checked: Check, settings: DataSettings, frozen: FrozenVal | None) -> Dealt:
    """Split the pictures, but for those of a `frozen` val, those that it knows, roots of one part, and lists.

    A picture that a list has as test is in neither part. Raises DatasetError if train or val would be empty.
    """
    items = [
        Item(picture.name, group, Counter(item.label for item in picture.objects))
        for picture, group in zip(checked.pictures, checked.duplicates.groups, strict=True)
        if picture.listed != "test"
    ]
    given = _given(checked, settings)
    known = frozen or FrozenVal()
    if settings.split.method != "lists" and not (given or known.val or known.train):
        dealt = Dealt(split(items, settings.split))
        return dealt if frozen is None else _apart(checked, dealt)
    place = ValPlace.of(checked, known)
    used = {item.name for item in items}
    parts: dict[str, Part] = dict.fromkeys(sorted(place.val & used), "val")
    free = [item for item in items if item.group not in place.groups]
    parts.update(_follow(free, given, checked, known))
    bound = frozenset(name for name in parts if name not in given)
    parts.update(split_more([item for item in free if item.name not in parts], settings.split))
    left_out = tuple(each for each in place.left_out() if each.name in used)
    overruled = tuple(name for name in parts if (given.get(name), parts[name]) == ("train", "val"))
    listed = frozenset(each.name for each in checked.pictures if each.listed and frozen is None)
    dealt = Dealt(parts, left_out, place.gone, bound, overruled)
    return _required(_apart(checked, dealt, listed), settings)


def _given(checked: Check, settings: DataSettings) -> dict[str, Part]:
    """The part of each picture that is listed or whose root has only one, and val for those held out."""
    roots = {root.name: root.part for root in settings.every_root}
    parts = {one.name: one.listed or ("val" if one.held_out else roots[one.root]) for one in checked.pictures}
    return {name: part for name, part in parts.items() if part in ("train", "val")}


def _follow(
    items: Sequence[Item], given: Mapping[str, Part], checked: Check, frozen: FrozenVal
) -> Iterator[tuple[str, Part]]:
    """Pictures of a given part, and the other pictures of their groups, and of groups known to train.

    Those train: what is like a val picture does not stay.
    """
    trained = frozen.knows_to_train(picture.facts.sha256 for picture in checked.pictures)
    names = {picture.name for picture in checked.pictures if picture.facts.sha256 in trained}
    bound = {item.group for item in items if item.name in names or item.name in given}
    for item in items:
        if item.group in bound:
            yield item.name, given.get(item.name, "train")


def _apart(checked: Check, dealt: Dealt, kept: frozenset[str] = frozenset()) -> Dealt:
    """Without the train pictures that are like a val picture; only a split by groups has none.

    kept: those that train whatever they are like, since a person listed them and no val is frozen.
    """
    groups = dict(zip((each.name for each in checked.pictures), checked.duplicates.groups, strict=True))
    val = {groups[name]: name for name, part in dealt.parts.items() if part == "val"}
    leaks = {
        name: val[groups[name]]
        for name, part in dealt.parts.items()
        if part == "train" and groups[name] in val and name not in kept
    }
    pairs = Pairs.of(checked)
    left_out = [pairs.left_out(name, like) for name, like in leaks.items()]
    parts = {name: part for name, part in dealt.parts.items() if name not in leaks}
    return replace(
        dealt, parts=parts, left_out=(*dealt.left_out, *left_out), bound=dealt.bound & parts.keys()
    )


def _required(dealt: Dealt, settings: DataSettings) -> Dealt:
    for part in ("train", "val"):
        if part not in dealt.parts.values():
            if settings.split.method == "lists":
                what = f"the lists in ImageSets/Main leave {part} empty"
                raise DatasetError(what, f"put names into {part}.txt, or choose another data.split.method")
            hint = (
                "restore the pictures that data.frozen_val lists, or give a root of data.roots another part"
            )
            raise DatasetError(f"data.frozen_val and data.roots leave {part} empty", hint)
    return dealt
