"""The sample set: what is committed, and the script that draws it."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from draw_sample.dice import Dice
from draw_sample.layout import deal_places
from maskdet.dataset.checking.check import check
from maskdet.dataset.settings import DataSettings
from maskdet.types import IntArray

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = REPOSITORY / "scripts"
SAMPLE = REPOSITORY / "data" / "sample"


def draw(folder: Path, *options: str) -> dict[str, bytes]:
    subprocess.run([sys.executable, SCRIPTS / "draw_sample", folder, *options], check=True, timeout=120)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def pixels(root: Path) -> IntArray:
    with Image.open(root / "JPEGImages" / "sample_040.jpg") as picture:
        return np.asarray(picture, np.int64)


def test_the_committed_set_passes_the_checks() -> None:
    found = check(DataSettings(root=SAMPLE))
    assert len(found.pictures) == 96
    assert found.labels == ("with_mask", "without_mask")
    assert [finding.code for finding in found.findings] == ["no-objects"] * 6


def test_the_committed_set_is_small_and_balanced() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*.*")) < 4_000_000
    labels = [item.label for picture in check(DataSettings(root=SAMPLE)).pictures for item in picture.objects]
    share = labels.count("with_mask") / len(labels)
    assert 0.45 < share < 0.55


def test_the_script_draws_the_committed_set(tmp_path: Path) -> None:
    # Another libjpeg or FreeType may round a pixel differently, hence not to the byte.
    drawn = draw(tmp_path, "--only", "40")
    assert set(drawn) == {"JPEGImages/sample_040.jpg", "Annotations/sample_040.xml"}
    assert drawn["Annotations/sample_040.xml"] == (SAMPLE / "Annotations" / "sample_040.xml").read_bytes()
    difference = pixels(tmp_path) - pixels(SAMPLE)
    assert np.abs(difference).mean() < 1


def test_a_seed_gives_the_same_bytes_and_another_seed_other_ones(tmp_path: Path) -> None:
    first = draw(tmp_path / "first", "--count", "4", "--seed", "3")
    assert len(first) == 8
    assert first == draw(tmp_path / "again", "--count", "4", "--seed", "3")
    assert first != draw(tmp_path / "other", "--count", "4", "--seed", "4")


def test_faces_lie_apart_and_inside_the_picture() -> None:
    for number in range(40):
        places = deal_places(Dice(1, number), (480, 360), 5)
        assert places
        for place in places:
            assert place.half <= place.x <= 480 - place.half + place.half * 0.1
            assert place.half <= place.y <= 360 - place.half
        for one, other in combinations(places, 2):
            assert np.hypot(one.x - other.x, one.y - other.y) > max(one.half, other.half)
