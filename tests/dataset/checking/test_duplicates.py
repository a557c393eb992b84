"""Look-alikes: likeness, groups, and blocks of the comparison."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from maskdet.dataset import likeness
from maskdet.dataset.checking.duplicates import NAMED, Duplicates, find_duplicates, like_any
from maskdet.dataset.likeness import HASH_DIGITS, perceptual_hash, same_picture


def hash_of(picture: Image.Image) -> str:
    return perceptual_hash(np.asarray(picture))


def re_encoded(picture: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def mixed(one: Image.Image, other: Image.Image, share: float) -> str:
    """The hash of a picture between two."""
    return hash_of(Image.blend(one, other, share))


def find(hashes, digests=None):
    names = [f"{index:03d}" for index in range(len(hashes))]
    return find_duplicates(names, digests or names, hashes)


def test_the_hash_is_text_of_one_length(pattern) -> None:
    found = hash_of(pattern("a", (401, 299)))
    assert len(found) == HASH_DIGITS
    assert set(found) <= set("0123456789abcdef")


def test_chains_hang_together(pattern) -> None:
    """C is between a and b, which are not alike; d is alone."""
    a, b, d = (pattern(seed) for seed in "abd")
    c = Image.blend(a, b, 0.5)
    near_a, near_b = mixed(a, c, 0.75), mixed(b, c, 0.75)
    assert find([near_a, near_b, hash_of(c), hash_of(d)]).groups == (0, 0, 0, 3)


def test_same_bytes_are_exact_even_without_a_hash() -> None:
    result = find(["", "", ""], ["x", "y", "x"])
    assert [(pair.first, pair.second, pair.exact) for pair in result.pairs] == [("000", "002", True)]
    assert result.groups == (0, 1, 0)


def test_an_exact_copy_of_a_look_alike_joins_its_group(pattern) -> None:
    own, near = hash_of(pattern("a")), hash_of(re_encoded(pattern("a"), 40))
    result = find([own, near, near], ["x", "y", "y"])
    assert result.groups == (0, 0, 0)
    assert sorted((pair.first, pair.second, pair.exact) for pair in result.pairs) == [
        ("000", "001", False),
        ("001", "002", True),
    ]


def test_a_film_names_few_pairs_but_is_one_group(pattern) -> None:
    one, other = pattern("a"), pattern("b")
    result = find([mixed(one, other, index / 600) for index in range(60)])
    assert set(result.groups) == {0}
    assert len(result.pairs) < 60 * NAMED


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch, pattern) -> None:
    seeds = [pattern(str(index)) for index in range(12)]
    hashes = [mixed(seeds[at % 12], seeds[(at + 1) % 12], at // 12 / 20) for at in range(30)]
    whole = find(hashes)
    assert len(whole.pairs) == 12 + 6 * 2
    monkeypatch.setattr(likeness, "_BLOCK", 7)
    assert find(hashes) == whole


def test_no_pictures() -> None:
    assert find([]) == Duplicates((), ())


def test_copies_are_near_duplicates_whatever_they_went_through(pattern) -> None:
    """Both ways: of the picture and its copy either may be the one that was there first."""
    draw = random.Random(3)  # noqa: S311
    for seed in "abcdefgh":
        picture = pattern(seed, (400, 300))
        width, height = draw.randint(360, 400), draw.randint(270, 300)
        left, top = draw.randint(0, 400 - width), draw.randint(0, 300 - height)
        crop = picture.crop((left, top, left + width, top + height))
        copies = {
            "smaller": picture.resize((200, 150)),
            "brighter": ImageEnhance.Brightness(picture).enhance(1.2),
            "other shape": picture.resize((400, 330)),
            "mirrored": picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
            "coarse": re_encoded(picture, 25),
            "corner": picture.crop((0, 30, 360, 300)),
            "cropped": crop,
            "all": re_encoded(crop.resize((210, 160)).transpose(Image.Transpose.FLIP_LEFT_RIGHT), 40),
        }
        for name, copy in copies.items():
            assert like_any([hash_of(picture)], [hash_of(copy)]), (seed, name)
            assert like_any([hash_of(copy)], [hash_of(picture)]), (seed, name)


def test_other_pictures_are_not_alike(pattern) -> None:
    hashes = [hash_of(pattern(f"other {index}")) for index in range(60)]
    assert not find(hashes).pairs


def test_a_copy_of_the_whole_is_told_from_a_crop(pattern) -> None:
    picture = pattern("a", (400, 300))
    own = hash_of(picture)
    assert same_picture(own, hash_of(re_encoded(picture.resize((220, 160)), 30)))
    for other in (picture.crop((40, 0, 400, 300)), picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)):
        assert not same_picture(own, hash_of(other))


def test_pictures_of_one_tone_are_like_none() -> None:
    flat = hash_of(Image.new("RGB", (50, 50), "red"))
    assert flat == ""
    assert not like_any([flat], [flat])
    assert not like_any(["00ff"], ["00ff"]), "a hash of another kind"
    assert not same_picture(flat, flat)


def test_of_many_pictures_those_like_any_other_are_found(pattern, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "_BLOCK", 4)
    pictures = [pattern(f"many {index}", (120, 90)) for index in range(11)]
    hashes = [hash_of(picture) for picture in pictures]
    copies = [hash_of(re_encoded(pictures[at], 30)) for at in (1, 10)]
    assert like_any([*hashes, "", "00ff"], [*copies, ""]) == {hashes[1], hashes[10]}
    assert not like_any(hashes, [])
    assert not like_any([], copies)
