"""Files of a VOC folder and their pairing: endings, names, and folders that are not laid out."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from maskdet.dataset.reading.layout import FLAT, VOC, Folders, find_pairs
from maskdet.errors import DatasetError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("JPEGImages", "Annotations"):
        (tmp_path / folder).mkdir()
    return tmp_path


def touch(root: Path, picture: str, annotation: str) -> None:
    (root / "JPEGImages" / picture).touch()
    (root / "Annotations" / annotation).touch()


@pytest.mark.parametrize(
    ("picture", "annotation"),
    [
        ("a.jpg", "a.xml"),
        ("A.JPG", "A.XML"),
        ("b.JPeG", "b.xml"),
        ("c.PNG", "c.xml"),
        ("d.webp", "d.xml"),
        ("e.Bmp", "e.xml"),
        ("two words.jpg", "two words.xml"),
        ("口罩 一.jpg", "口罩 一.xml"),
        ("口罩\u3000一.jpg", "口罩\u3000一.xml"),
        ("Screenshot at 10.30.00\u202fAM.png", "Screenshot at 10.30.00\u202fAM.xml"),
        ("a\u00a0b.jpg", "a\u00a0b.xml"),
        ("\u06a9\u200c\u200d.jpg", "\u06a9\u200c\u200d.xml"),
        ("a.b.jpg", "a.b.xml"),
        (unicodedata.normalize("NFD", "é.jpg"), unicodedata.normalize("NFC", "é.xml")),
    ],
)
def test_names_that_pair(root: Path, picture: str, annotation: str) -> None:
    touch(root, picture, annotation)
    layout = find_pairs(root)
    (pair,) = layout.pairs
    assert (pair.picture, pair.annotation) == (f"JPEGImages/{picture}", f"Annotations/{annotation}")
    assert {finding.code for finding in layout.findings} <= {"name-with-space"}


@pytest.mark.parametrize("character", ["\n", "\x7f", "\x85", "\u2028", "\u2029", os.fsdecode(b"\xff")])
@pytest.mark.parametrize("folders", [VOC, FLAT])
def test_names_that_no_list_can_hold(root: Path, character: str, folders: Folders) -> None:
    for name in (f"{folders.pictures}/a{character}b.jpg", f"{folders.annotations}/a{character}b.xml"):
        (root / name).touch()
    layout = find_pairs(root, folders)
    assert layout.pairs == ()
    assert [finding.code for finding in layout.findings] == ["name-unusable"] * 2
    assert all(finding.file.isprintable() for finding in layout.findings)


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u202f", "\u3000"])
def test_spaces_of_any_width_split_the_lines_of_paddledetection(root: Path, space: str) -> None:
    touch(root, f"a{space}b.jpg", f"a{space}b.xml")
    assert [finding.code for finding in find_pairs(root).findings] == ["name-with-space"]


def test_pairs_are_sorted_by_code_point(root: Path) -> None:
    for stem in ("b", "a10", "a2", "B", "口"):
        touch(root, f"{stem}.jpg", f"{stem}.xml")
    assert [pair.picture[11:-4] for pair in find_pairs(root).pairs] == ["B", "a10", "a2", "b", "口"]


def test_letter_case_is_named_as_the_reason(root: Path) -> None:
    touch(root, "Mask.jpg", "mask.xml")
    findings = find_pairs(root).findings
    assert [finding.code for finding in findings] == ["annotation-missing", "picture-missing"]
    assert "did you mean Annotations/mask.xml?" in findings[0].hint


def test_three_of_one_stem_are_all_named(root: Path) -> None:
    touch(root, "a.jpg", "a.xml")
    touch(root, "a.png", "a.XML")
    findings = find_pairs(root).findings
    assert [finding.file for finding in findings] == [
        "JPEGImages/a.jpg",
        "JPEGImages/a.png",
        "Annotations/a.XML",
        "Annotations/a.xml",
    ]
    assert not find_pairs(root).pairs


def test_files_of_the_system_are_passed_over(root: Path) -> None:
    touch(root, "a.jpg", "a.xml")
    touch(root, ".DS_Store", "._a.xml")
    assert not find_pairs(root).findings


@pytest.mark.parametrize("missing", ["JPEGImages", "Annotations"])
def test_a_missing_folder_names_the_layout(root: Path, missing: str) -> None:
    (root / missing).rmdir()
    with pytest.raises(DatasetError) as caught:
        find_pairs(root)
    assert f"{missing} does not exist" in caught.value.what
    assert "JPEGImages/NAME.jpg" in caught.value.hint


def test_a_missing_root_is_named_itself(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere does not exist"):
        find_pairs(tmp_path / "nowhere")


def test_a_file_in_the_place_of_a_folder(root: Path) -> None:
    (root / "JPEGImages").rmdir()
    (root / "JPEGImages").touch()
    with pytest.raises(DatasetError, match="not a folder"):
        find_pairs(root)


def test_empty_folders_are_an_error(root: Path) -> None:
    with pytest.raises(DatasetError, match="no pictures and no annotations"):
        find_pairs(root)
