"""What identifies a picture in the inbox, and whether two of them look alike."""

from __future__ import annotations

import hashlib

import numpy as np

from maskdet.dataset.duplicates import MAX_DISTANCE
from maskdet.dataset.pictures import perceptual_hash
from maskdet.types import Picture

NAME_LENGTH = 16
"""Characters of the picture's sha256 in the names of its files."""


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def hash_text(pixels: Picture) -> str:
    """The 256-bit perceptual hash as 64 hex digits; empty for a picture of one tone."""
    bits = perceptual_hash(pixels)
    return "" if bits is None else np.packbits(bits).tobytes().hex()


def look_alike(one: str, other: str) -> bool:
    """Whether two hash texts are those of near-duplicates, by the distance that the split uses."""
    if not one or not other:
        return False
    return (int(one, 16) ^ int(other, 16)).bit_count() <= MAX_DISTANCE
