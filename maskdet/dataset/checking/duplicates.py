"""Finds pictures that are the same or look the same, so that no split puts them on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from maskdet.dataset.likeness import HASH_DIGITS, alike_across, alike_pairs
from maskdet.types import IntArray

NAMED = 8
"""Earlier look-alikes named for each picture, the nearest ones; grouping uses all."""


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two pictures by name, `first` before `second`; `likeness` up to 1, `exact`: same bytes."""

    first: str
    second: str
    likeness: float
    exact: bool

    @property
    def how(self) -> str:
        """For people: how much alike they are."""
        return "the same bytes" if self.exact else f"likeness {self.likeness:.2f}"


@dataclass(frozen=True, slots=True)
class Duplicates:
    """`groups` [N] holds for each picture the index of the first one in its group: its own if it is alone."""

    pairs: tuple[DuplicatePair, ...]
    groups: tuple[int, ...]


def like_any(hashes: Iterable[str], others: Iterable[str]) -> frozenset[str]:
    """The perceptual hashes that are near-duplicates of any of `others`, compared in blocks.

    A hash of another form, such as "", is like none.
    """
    ones, known = ([one for one in each if len(one) == HASH_DIGITS] for each in (hashes, others))
    return frozenset(ones[row] for row, _, _ in alike_across(ones, known))


def find_duplicates(names: Sequence[str], digests: Sequence[str], hashes: Sequence[str]) -> Duplicates:
    """Compare N pictures: their names in order, sha256 of the bytes, and perceptual hashes ("": none)."""
    groups: IntArray = np.arange(len(names))
    firsts: dict[str, int] = {}
    pairs = []
    for index, digest in enumerate(digests):
        first = firsts.setdefault(digest, index)
        if first != index:
            pairs.append(DuplicatePair(names[first], names[index], 1.0, True))
            groups[index] = first
    hashed = np.array([index for index in firsts.values() if hashes[index]], np.int64)
    for row, others, likenesses in alike_pairs([hashes[index] for index in hashed]):
        _join(groups, hashed[row], hashed[others])
        for near in np.argsort(-likenesses, kind="stable")[:NAMED]:
            first, likeness = int(hashed[others[near]]), round(float(likenesses[near]), 3)
            pairs.append(DuplicatePair(names[first], names[hashed[row]], likeness, False))
    pairs.sort(key=lambda pair: (pair.first, pair.second))
    return Duplicates(tuple(pairs), tuple(int(group) for group in groups))


def _join(groups: IntArray, index: int, others: IntArray) -> None:
    """Put picture `index` and the groups of `others` into one group, in place."""
    joined = np.unique(groups[np.append(others, index)])
    groups[np.isin(groups, joined)] = joined[0]
