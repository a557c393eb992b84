"""Facts of one picture: kinds of files, EXIF turns, hashes, damage."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskdet.dataset.checking.duplicates import like_any
from maskdet.dataset.findings import Finding
from maskdet.dataset.likeness import HASH_DIGITS
from maskdet.dataset.reading.pictures import PictureFacts, read_all_facts, read_facts


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.jpg", "RGB"),
        ("a.jpg", "L"),
        ("a.jpg", "CMYK"),
        ("a.png", "RGBA"),
        ("a.png", "P"),
        ("a.png", "LA"),
        ("a.png", "1"),
        ("a.bmp", "RGB"),
        ("a.webp", "RGB"),
        ("a.webp", "RGBA"),
    ],
)
def test_kinds_of_pictures(tmp_path: Path, pattern, name: str, mode: str) -> None:
    path = tmp_path / name
    pattern("a").convert(mode).save(path)
    facts = read_facts(path, name)
    assert isinstance(facts, PictureFacts), facts
    assert facts.size.upright == facts.size.stored == (120, 160)
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(facts.phash) == HASH_DIGITS


def test_transparent_palettes_and_sixteen_bits(tmp_path: Path, pattern) -> None:
    pattern("a").convert("P").save(tmp_path / "p.png", transparency=bytes(range(256)))
    deep = np.asarray(pattern("a").convert("L"), np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "d.png")
    for facts in read_all_facts([(tmp_path / name, name) for name in ("p.png", "d.png")]):
        assert isinstance(facts, PictureFacts), facts


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sizes_are_after_the_turn(tmp_path: Path, pattern, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pattern("a").save(tmp_path / "a.jpg", exif=exif)
    facts = read_facts(tmp_path / "a.jpg", "a.jpg")
    assert isinstance(facts, PictureFacts)
    assert facts.size.stored == (120, 160)
    assert facts.size.upright == ((160, 120) if orientation >= 5 else (120, 160))


def test_a_turned_copy_looks_the_same(tmp_path: Path, pattern) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pattern("a").save(tmp_path / "upright.png")
    pattern("a").transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif)
    upright, turned = read_all_facts([(tmp_path / name, name) for name in ("upright.png", "turned.jpg")])
    assert like_any([upright.phash], [turned.phash])


@pytest.mark.parametrize("ending", ["jpg", "png", "bmp", "webp"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.95])
def test_a_picture_that_breaks_off_is_found(tmp_path: Path, pattern, ending: str, share: float) -> None:
    path = tmp_path / f"a.{ending}"
    pattern("a").save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    finding = read_facts(path, "JPEGImages/a")
    assert isinstance(finding, Finding)
    assert (finding.code, finding.file) == ("picture-unreadable", "JPEGImages/a")


@pytest.mark.parametrize(
    "data", [b"hello", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + bytes(50), b"RIFF0000WEBP"]
)
def test_what_is_no_picture_is_a_finding(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    assert isinstance(read_facts(tmp_path / "a.jpg", "a.jpg"), Finding)


def test_a_missing_picture_is_a_finding(tmp_path: Path) -> None:
    finding = read_facts(tmp_path / "a.jpg", "a.jpg")
    assert isinstance(finding, Finding)
    assert "No such file" in finding.message


def test_pictures_come_in_their_order(tmp_path: Path, pattern) -> None:
    names = [f"{index}.png" for index in range(20)]
    for index, name in enumerate(names):
        pattern(name, (100 + index, 50)).save(tmp_path / name)
    found = read_all_facts([(tmp_path / name, name) for name in names])
    assert [facts.size.upright[1] for facts in found] == list(range(100, 120))
