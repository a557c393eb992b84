"""Where the pictures of a frozen val are in the data, and what is too much like them to train."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from maskdet.dataset.checking.check import Check, CheckedPicture
from maskdet.dataset.checking.duplicates import DuplicatePair
from maskdet.dataset.likeness import alike_across, same_picture
from maskdet.dataset.splitting.frozen import FrozenPicture, FrozenVal


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
class Pairs:
    """The pairs that were found, by their names."""

    known: Mapping[tuple[str, str], DuplicatePair]

    @classmethod
    def of(cls, checked: Check) -> Pairs:
        return cls({(pair.first, pair.second): pair for pair in checked.duplicates.pairs})

    def left_out(self, name: str, like: str) -> LeftOut:
        pair = self.known.get((name, like)) or self.known.get((like, name))
        return LeftOut(name, like, pair.likeness, pair.exact) if pair else LeftOut(name, like)


@dataclass(slots=True)
class ValPlace:
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
    def of(cls, checked: Check, frozen: FrozenVal) -> ValPlace:
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
        pairs = Pairs.of(self.checked)
        members: dict[int, list[str]] = defaultdict(list)
        for picture, group in zip(self.checked.pictures, self.checked.duplicates.groups, strict=True):
            members[group].append(picture.name)
        for group in sorted(self.groups):
            for name in members[group]:
                if name not in self.val:
                    yield self._nearest(name, members[group], pairs)

    def _nearest(self, name: str, members: Sequence[str], pairs: Pairs) -> LeftOut:
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
