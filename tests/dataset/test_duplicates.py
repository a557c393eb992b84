"""Look-alikes: distances, groups, and blocks of the comparison."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from maskdet.dataset import duplicates
from maskdet.dataset.duplicates import MAX_DISTANCE, NAMED, find_duplicates, near_duplicates
from maskdet.dataset.pictures import perceptual_hash


def flipped(bits: np.ndarray, number: int) -> np.ndarray:
    changed = bits.copy()
    changed[:number] = ~changed[:number]
    return changed


def random_bits(number: int) -> np.ndarray:
    return np.random.RandomState(0).rand(number, 256) < 0.5


def find(bits, digests=None):
    names = [f"{index:03d}" for index in range(len(bits))]
    hashes = ["" if row is None else np.packbits(row).tobytes().hex() for row in bits]
    return find_duplicates(names, digests or names, hashes)


@pytest.mark.parametrize(("distance", "found"), [(0, True), (MAX_DISTANCE, True), (MAX_DISTANCE + 1, False)])
def test_the_limit(distance: int, found: bool) -> None:
    bits = random_bits(1)[0]
    result = find([bits, flipped(bits, distance)])
    assert [(pair.first, pair.second, pair.distance) for pair in result.pairs] == [
        ("000", "001", distance)
    ] * found
    assert result.groups == ((0, 0) if found else (0, 1))


def test_chains_hang_together() -> None:
    """C is like a and like b, which are not alike; d is alone."""
    a = random_bits(2)
    c = flipped(a[0], 40)
    b = flipped(c, 80)
    assert find([a[0], b, c, a[1]]).groups == (0, 0, 0, 3)


def test_same_bytes_are_exact_even_without_a_hash() -> None:
    result = find([None, None, None], ["x", "y", "x"])
    assert [(pair.first, pair.second, pair.exact) for pair in result.pairs] == [("000", "002", True)]
    assert result.groups == (0, 1, 0)


def test_an_exact_copy_of_a_look_alike_joins_its_group() -> None:
    bits = random_bits(1)[0]
    result = find([bits, flipped(bits, 10), flipped(bits, 10)], ["x", "y", "y"])
    assert result.groups == (0, 0, 0)
    assert sorted((pair.first, pair.second, pair.exact) for pair in result.pairs) == [
        ("000", "001", False),
        ("001", "002", True),
    ]


def test_a_film_names_few_pairs_but_is_one_group() -> None:
    bits = random_bits(1)[0]
    result = find([flipped(bits, index % 20) for index in range(60)])
    assert set(result.groups) == {0}
    assert len(result.pairs) < 60 * NAMED


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    base = random_bits(30)
    bits = [flipped(base[index % 30], index // 30 * 20) for index in range(75)]
    whole = find(bits)
    monkeypatch.setattr(duplicates, "_BLOCK", 7)
    assert find(bits) == whole
    assert len(whole.pairs) == 45 + 15


def test_no_pictures() -> None:
    assert find([]) == duplicates.Duplicates((), ())


def test_the_hash_survives_what_copies_go_through(pattern) -> None:
    picture = pattern("a", (400, 300))
    own = perceptual_hash(np.asarray(picture))
    copies = {
        "smaller": picture.resize((200, 150)),
        "brighter": ImageEnhance.Brightness(picture).enhance(1.2),
        "cropped": picture.crop((4, 3, 396, 297)),
        "other shape": picture.resize((400, 330)),
    }
    for name, copy in copies.items():
        assert near_duplicates(own, perceptual_hash(np.asarray(copy))), name
    assert not near_duplicates(own, perceptual_hash(np.asarray(pattern("b", (400, 300)))))


def test_pictures_of_one_tone_are_not_alike() -> None:
    flat = perceptual_hash(np.asarray(Image.new("RGB", (50, 50), "red")))
    assert flat == ""
    assert not near_duplicates(flat, flat)
