"""Deals checked pictures to train and val, so that what was val stays val and nothing like it trains."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from maskdet.dataset.check import Check, CheckedPicture
from maskdet.dataset.duplicates import DuplicatePair
from maskdet.dataset.findings import Finding
from maskdet.dataset.frozen import FrozenPicture, FrozenVal
from maskdet.dataset.likeness import alike_across, same_picture
from maskdet.dataset.manifest import Part
from maskdet.dataset.settings import DataSettings
from maskdet.dataset.split import Item, split, split_more
from maskdet.errors import DatasetError

_FAR = 0.05
"""Difference of val's share from data.split.ratio that is worth telling."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A picture that neither trains nor validates, since it is like the val picture `like`.

    `likeness` is None if only a chain of near-duplicates connects the two; `exact`: same bytes.
    """

    name: str
    like: str
    likeness: float | None = None
    exact: bool = False

    @property
    def how(self) -> str:
        if self.exact:
            return "the same bytes"
        return "linked by near-duplicates" if self.likeness is None else f"likeness {self.likeness:.2f}"


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
    place = _Place.of(checked, known)
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
    pairs = _Pairs.of(checked)
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


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The pairs that were found, by their names."""

    known: Mapping[tuple[str, str], DuplicatePair]

    @classmethod
    def of(cls, checked: Check) -> _Pairs:
        return cls({(pair.first, pair.second): pair for pair in checked.duplicates.pairs})

    def left_out(self, name: str, like: str) -> LeftOut:
        pair = self.known.get((name, like)) or self.known.get((like, name))
        return LeftOut(name, like, pair.likeness, pair.exact) if pair else LeftOut(name, like)


@dataclass(slots=True)
class _Place:
    """Where the pictures of a frozen val are in the data."""

    checked: Check
    val: set[str] = field(default_factory=set)
    """Names of the pictures that are in it."""
    gone: tuple[FrozenPicture, ...] = ()
    like_gone: dict[str, tuple[str, float]] = field(default_factory=dict)
    """By name of a picture the frozen one, not in the data, that it is like, and how much."""
    groups: set[int] = field(default_factory=set)
    """The groups that hold, or are like, a picture of it."""

    @classmethod
    def of(cls, checked: Check, frozen: FrozenVal) -> _Place:
        place = cls(checked)
        missing = place._by_bytes(frozen.val)
        place.gone = tuple(place._by_looks(missing))
        place.groups = {
            group
            for picture, group in zip(checked.pictures, checked.duplicates.groups, strict=True)
            if picture.name in place.val or picture.name in place.like_gone
        }
        return place

    def left_out(self) -> Iterator[LeftOut]:
        """The other pictures of those groups, each with the val picture that it is most like."""
        pairs = _Pairs.of(self.checked)
        members: dict[int, list[str]] = defaultdict(list)
        for picture, group in zip(self.checked.pictures, self.checked.duplicates.groups, strict=True):
            members[group].append(picture.name)
        for group in sorted(self.groups):
            for name in members[group]:
                if name not in self.val:
                    yield self._nearest(name, members[group], pairs)

    def _nearest(self, name: str, members: Sequence[str], pairs: _Pairs) -> LeftOut:
        options = [pairs.left_out(name, other) for other in members if other in self.val]
        for each in members:
            if each in self.like_gone:
                like, likeness = self.like_gone[each]
                options.append(LeftOut(name, like, likeness if each == name else None))
        return max(options, key=lambda option: (option.exact, option.likeness or 0))

    def _by_bytes(self, entries: Sequence[FrozenPicture]) -> list[FrozenPicture]:
        """Find each entry's bytes: under its own name if they are there, else under another. The rest."""
        by_digest: dict[str, list[CheckedPicture]] = defaultdict(list)
        for picture in self.checked.pictures:
            by_digest[picture.facts.sha256].append(picture)
        renamed = []
        for entry in entries:
            same = by_digest[entry.sha256]
            own = [each for each in same if (each.root, each.picture) == (entry.root, entry.picture)]
            if own:
                self.val.add(own[0].name)
            else:
                renamed.append(entry)
        return [entry for entry in renamed if not self._takes(by_digest[entry.sha256])]

    def _takes(self, copies: Sequence[CheckedPicture]) -> bool:
        """Whether there are copies; the first that is not in val yet goes there."""
        free = [each.name for each in copies if each.name not in self.val]
        self.val.update(free[:1])
        return bool(copies)

    def _by_looks(self, entries: Sequence[FrozenPicture]) -> Iterator[FrozenPicture]:
        """Find what is like each entry. A copy of the whole picture takes its place, else it is gone."""
        hashed = [entry for entry in entries if entry.phash]
        pictures = [picture for picture in self.checked.pictures if picture.facts.phash]
        found = alike_across([entry.phash for entry in hashed], [picture.facts.phash for picture in pictures])
        alike = {hashed[at]: (others, likenesses) for at, others, likenesses in found}
        for entry in entries:
            others, likenesses = alike.get(entry, ((), ()))
            near = [pictures[other] for other in others]
            for picture, likeness in zip(near, likenesses, strict=True):
                self.like_gone.setdefault(
                    picture.name, (f"{entry.root}/{entry.picture}", round(float(likeness), 3))
                )
            whole = [one for one in near if same_picture(entry.phash, one.facts.phash)]
            # A copy of a picture that is there in another form adds nothing to val.
            if not any(one.name in self.val for one in whole) and not self._takes(whole):
                yield entry
