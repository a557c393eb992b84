"""Sizes of faces at the network's input, shares, advice, and the pictures to look at."""

from __future__ import annotations

import numpy as np
import pytest

from maskdet.dataset.manifest import Manifest, ManifestObject, ManifestPicture, Part
from maskdet.dataset.statistics import (
    class_advice,
    face_sizes,
    part_counts,
    sample,
    share_under,
    size_advice,
)


def picture(
    name: str, *objects: tuple[str, float], part: Part = "train", size: tuple[int, int] = (640, 320)
) -> ManifestPicture:
    """Objects are (label, side of a square box in pixels of the picture)."""
    made = tuple(ManifestObject(label, (0, 0, side, side)) for label, side in objects)
    return ManifestPicture(f"JPEGImages/{name}.jpg", f"Annotations/{name}.xml", part, *size, name, made)


def test_sizes_follow_the_stretch_to_the_input() -> None:
    """640 x 320 to 320 x 320: 40 px square becomes 20 x 40, whose root is 28.3."""
    manifest = Manifest(("face", "none"), (picture("a", ("face", 40)),))
    sizes = face_sizes(manifest, (320, 320))
    assert sizes["face"] == pytest.approx([np.sqrt(20 * 40)])
    assert len(sizes["none"]) == 0


def test_input_size_is_height_and_width() -> None:
    manifest = Manifest(("face",), (picture("a", ("face", 40), size=(100, 200)),))
    assert face_sizes(manifest, (200, 400))["face"] == pytest.approx([np.sqrt(160 * 40)])


def test_shares() -> None:
    assert share_under([np.array([4.0, 8.0]), np.array([15.9, 16.0])], 8) == 0.25
    assert share_under([np.array([4.0, 8.0]), np.array([15.9, 16.0])], 16) == 0.75
    assert share_under([np.zeros(0)], 8) == 0


@pytest.mark.parametrize(
    ("side", "input_side", "said"),
    [
        (20, 416, "A larger input helps: 0% at 640 x 640"),
        (5, 640, "Cut large pictures into tiles"),
        (200, 416, "320 x 320 would do (0%) and is faster"),
        (200, 320, "The input suits the faces"),
        (30, 416, "The input suits the faces"),
    ],
)
def test_advice_on_the_input(side: int, input_side: int, said: str) -> None:
    manifest = Manifest(("face",), (picture("a", ("face", side), size=(640, 640)),))
    assert said in size_advice(manifest, (input_side, input_side))


def test_advice_on_classes() -> None:
    many = [picture(f"m{index}", ("common", 9), ("common", 9)) for index in range(10)]
    manifest = Manifest(
        ("common", "rare", "gone"),
        (*many, picture("a", ("rare", 9)), picture("b", ("rare", 9), ("common", 9), part="val")),
    )
    assert class_advice(manifest) == [
        "`rare` is rare: `common` has 10 times as many objects.",
        "`gone` has no object in train and none in val.",
    ]


def test_counts_of_a_part() -> None:
    manifest = Manifest(
        ("a", "b"), (picture("x", ("a", 9), ("a", 9)), picture("y"), picture("z", part="val"))
    )
    train = part_counts(manifest, "train")
    assert (train.pictures, train.negatives, train.objects) == (2, 1, {"a": 2, "b": 0})
    assert part_counts(manifest, "val").negatives == 1
    assert train.difficult == 0


def test_the_sample_shows_rare_classes_and_no_picture_twice() -> None:
    pictures = [picture(f"c{index}", ("common", 9)) for index in range(30)]
    manifest = Manifest(("common", "rare"), (*pictures, picture("zz", ("rare", 9))))
    chosen = sample(manifest, 12)
    assert chosen[0].picture == "JPEGImages/zz.jpg"
    assert len({item.picture for item in chosen}) == 12
    assert len(sample(manifest, 100)) == 31
