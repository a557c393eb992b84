"""Finds pictures that are the same or look the same, so that no split puts them on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskdet.types import BoolArray, IntArray

MAX_DISTANCE = 52
"""Bits of 256 in which the hashes of look-alikes may differ.

Chosen on 749 real pictures of face masks: crops, re-encoded copies and neighbouring shots of one scene lie at
0 to 52, the nearest two pictures from different rooms at 56, and unrelated ones at 128 on average.
"""

NAMED = 8
"""Earlier look-alikes named for each picture, the nearest ones; grouping uses all."""

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two pictures by name, `first` before `second`; `distance` in bits of 256, `exact`: same bytes."""

    first: str
    second: str
    distance: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Duplicates:
    """`groups` [N] holds for each picture the index of the first one in its group: its own if it is alone."""

    pairs: tuple[DuplicatePair, ...]
    groups: tuple[int, ...]


def near_duplicates(one: str, other: str) -> bool:
    """Whether two pictures look alike, by their perceptual hashes; one without a hash is like no other."""
    if not one or not other:
        return False
    return (int(one, 16) ^ int(other, 16)).bit_count() <= MAX_DISTANCE


def find_duplicates(names: Sequence[str], digests: Sequence[str], hashes: Sequence[str]) -> Duplicates:
    """Compare N pictures: their names in order, sha256 of the bytes, and perceptual hashes ("": none)."""
    groups: IntArray = np.arange(len(names))
    firsts: dict[str, int] = {}
    pairs = []
    for index, digest in enumerate(digests):
        first = firsts.setdefault(digest, index)
        if first != index:
            pairs.append(DuplicatePair(names[first], names[index], 0, True))
            groups[index] = first
    hashed = np.array([index for index in firsts.values() if hashes[index]], np.int64)
    stacked = [_bits(hashes[index]) for index in hashed]
    for row, others, distances in _look_alikes(stacked):
        _join(groups, hashed[row], hashed[others])
        for near in np.argsort(distances, kind="stable")[:NAMED]:
            first = int(hashed[others[near]])
            pairs.append(DuplicatePair(names[first], names[hashed[row]], int(distances[near]), False))
    pairs.sort(key=lambda pair: (pair.first, pair.second))
    return Duplicates(tuple(pairs), tuple(int(group) for group in groups))


def _bits(phash: str) -> BoolArray:
    return np.unpackbits(np.frombuffer(bytes.fromhex(phash), np.uint8)).astype(np.bool_)


def _look_alikes(bits: Sequence[BoolArray]) -> Iterator[tuple[int, IntArray, IntArray]]:
    """For each row with earlier look-alikes: the row, their rows [K] and their distances [K].

    Hamming distances come from products of rows of +1 and -1, which are integers and so exact in
    float32; working in blocks bounds the memory.
    """
    if not bits:
        return
    signs = np.where(np.stack(bits), np.float32(1), np.float32(-1))
    for start in range(0, len(signs), _BLOCK):
        block = signs[start : start + _BLOCK]
        distances = (signs.shape[1] - block @ signs[: start + len(block)].T) / 2
        for offset, row_distances in enumerate(distances):
            row = start + offset
            others = np.flatnonzero(row_distances[:row] <= MAX_DISTANCE)
            if len(others):
                yield row, others, row_distances[others].astype(np.int64)


def _join(groups: NDArray[np.int64], index: int, others: IntArray) -> None:
    """Put picture `index` and the groups of `others` into one group, in place."""
    joined = np.unique(groups[np.append(others, index)])
    groups[np.isin(groups, joined)] = joined[0]
