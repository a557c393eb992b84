"""How alike two pictures look, also if one is a cropped, mirrored, resized or re-encoded copy of the other.

A picture's hash is its thumbnail: SIDE x SIDE grey levels of four bits, in hex digits. Two pictures are
compared by the correlation of their DCT coefficients, each weighted with its frequency, since low ones alone
make all portraits alike. One picture is taken as a whole and mirrored, the other cut to 36 windows of at
least 90 % of its sides, and the other way round; the best of these correlations is the likeness.
docs/data.md has the figures by which the numbers here were chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detector.brightness import LUMA
from maskdet.types import FloatArray, IntArray, Picture

ALIKE = 0.85
"""Likeness from which two pictures are near-duplicates."""

SAME = 0.98
"""Correlation of two whole pictures from which one is a copy of the other, re-encoded or resized."""

SIDE = 20
HASH_DIGITS = SIDE * SIDE
_TERMS = 14
_FINEST = 11
"""Radius of the DCT coefficients that count; JPEG blocks and resizing change those beyond."""
_WINDOWS = tuple((start / 20, size) for size in (0.9, 0.95, 1.0) for start in range(round(21 - 20 * size)))
"""Start and length along one side, as shares of it."""
_SAMPLES = 8
_LEVELS = 15
_FLAT = 3.0
"""Standard deviation in grey levels below which a picture has no structure to hash."""
_BLOCK = 256


def perceptual_hash(pixels: Picture) -> str:
    """The hash of a picture [H, W, 3]; "" for one of a single tone, which is like no other."""
    grey = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64) @ LUMA
    if grey.std() < _FLAT:
        return ""
    low, high = grey.min(), grey.max()
    levels = np.round((grey - low) / (high - low) * _LEVELS).astype(np.uint8).reshape(-1, 2)
    packed: NDArray[np.uint8] = levels[:, 0] << 4 | levels[:, 1]
    return packed.tobytes().hex()


def same_picture(one: str, other: str) -> bool:
    """Whether one is a copy of the other as a whole, by their hashes."""
    if not one or not other:
        return False
    whole = _whole(_views([one, other]))
    return float(whole[0] @ whole[1]) >= SAME


def alike_pairs(hashes: Sequence[str]) -> Iterator[tuple[int, IntArray, FloatArray]]:
    """For each of N hashes with near-duplicates before it: its index, theirs [K] and the likenesses [K].

    No hash may be empty. Works in blocks, which bounds the memory of the products; the views of all pictures
    stay, 15 KB each, since making them anew for each block would take half as long again.
    """
    blocks = [_views(hashes[start : start + _BLOCK]) for start in range(0, len(hashes), _BLOCK)]
    for number, own in enumerate(blocks):
        likeness = np.concatenate([_likeness(own, earlier) for earlier in blocks[: number + 1]], axis=1)
        for offset, row in enumerate(likeness):
            index = number * _BLOCK + offset
            others = np.flatnonzero(row[:index] >= ALIKE)
            if len(others):
                yield index, others, row[others]


def alike_across(ones: Sequence[str], others: Sequence[str]) -> Iterator[tuple[int, IntArray, FloatArray]]:
    """For each of `ones` with near-duplicates among `others`: its index, theirs [K] and the likenesses [K].

    No hash may be empty.
    """
    blocks = [_views(others[start : start + _BLOCK]) for start in range(0, len(others), _BLOCK)]
    for start in range(0, len(ones) if blocks else 0, _BLOCK):
        own = _views(ones[start : start + _BLOCK])
        for offset, row in enumerate(np.concatenate([_likeness(own, block) for block in blocks], axis=1)):
            found = np.flatnonzero(row >= ALIKE)
            if len(found):
                yield start + offset, found, row[found]


def _likeness(ones: FloatArray, others: FloatArray) -> FloatArray:
    """[N, M] for the views [N, 36, D] and [M, 36, D]."""
    best: FloatArray = np.maximum(_found(_whole(ones), others), _found(_whole(others), ones).T)
    return best


def _found(whole: FloatArray, views: FloatArray) -> FloatArray:
    """[N, M]: how well whole pictures [N, D], or mirrored, fit one of the windows of others [M, 36, D]."""
    windows = views.reshape(-1, views.shape[2]).T
    shape = len(whole), *views.shape[:2]
    as_is, mirrored = ((either @ windows).reshape(shape).max(axis=2) for either in (whole, whole * _mirror()))
    best: FloatArray = np.maximum(as_is, mirrored)
    return best


def _whole(views: FloatArray) -> FloatArray:
    """The views of whole pictures; the last window is not cut."""
    return views[:, -1]


def _views(hashes: Sequence[str]) -> FloatArray:
    """[N, 36, D]: unit vectors of weighted DCT coefficients for each window."""
    packed = np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(len(hashes), -1)
    levels = np.stack([packed >> 4, packed & _LEVELS], axis=2).reshape(-1, SIDE, SIDE).astype(np.float32)
    cut = _cut()
    terms = np.einsum("akn,inm,blm->iabkl", cut, levels, cut, optimize=True)
    weights, kept = _weights()
    vectors = (terms * weights).reshape(len(hashes), len(cut) ** 2, -1)[:, :, kept]
    norms = np.linalg.norm(vectors, axis=2, keepdims=True)
    # Selecting coefficients scatters them in memory, where products of matrices take a hundred times as long.
    return np.ascontiguousarray(vectors / np.maximum(norms, 1e-6), np.float32)


@cache
def _cut() -> FloatArray:
    """[6, K, SIDE]: from the thumbnail's samples along one side to the DCT of each window."""
    terms = np.arange(_TERMS)
    cosines = np.cos(np.pi * terms[:, None] * (2 * terms + 1) / (2 * _TERMS)) * np.sqrt(2 / _TERMS)
    return np.stack([cosines @ _resampled(start, size) for start, size in _WINDOWS]).astype(np.float32)


def _resampled(start: float, size: float) -> NDArray[np.float64]:
    """[K, SIDE]: the mean of linearly interpolated samples in each of K cells of a window."""
    places = (start + size * (np.arange(_TERMS * _SAMPLES) + 0.5) / (_TERMS * _SAMPLES)) * SIDE - 0.5
    columns = [np.interp(places, np.arange(SIDE), unit) for unit in np.eye(SIDE)]
    cells: NDArray[np.float64] = np.stack(columns, axis=1).reshape(_TERMS, _SAMPLES, SIDE).mean(axis=1)
    return cells


@cache
def _weights() -> tuple[FloatArray, IntArray]:
    """[K, K] weights of the coefficients, and the places of those that count, flat."""
    radius = np.hypot(*np.mgrid[:_TERMS, :_TERMS])
    return radius.astype(np.float32), np.flatnonzero((radius > 0) & (radius < _FINEST))


@cache
def _mirror() -> FloatArray:
    """The signs [D] that mirror a picture: odd terms along the width change theirs."""
    signs = np.tile((-1.0) ** np.arange(_TERMS), (_TERMS, 1)).reshape(-1)
    mirrored: FloatArray = signs[_weights()[1]].astype(np.float32)
    return mirrored
