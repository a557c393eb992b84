"""Several folders that make up one data set."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from maskdet.dataset.learnt import data_sha256, learnt_sha256
from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.dataset.prepare import PrepareSummary, decide, prepare
from maskdet.dataset.settings import DataSettings
from maskdet.errors import DatasetError, StageError, UsageError
from maskdet.training.recipe.sampling import repeat_factors


def settings(*roots: dict[str, object], **others: object) -> DataSettings:
    return DataSettings(roots=roots, **others)


def run(out: Path, chosen: DataSettings) -> tuple[PrepareSummary, Manifest]:
    """All of prepare."""
    out.mkdir(exist_ok=True)
    summary = prepare(chosen, out, input_size=(416, 416))
    return summary, load_manifest(out / "manifest.json")


def stored(path: Path, chosen: DataSettings) -> Manifest:
    """What prepare decides, written and read, without its plots."""
    decide(chosen).manifest.write(path)
    return load_manifest(path)


@pytest.fixture
def ours(make_voc):
    folder = make_voc("ours")
    folder.fill(10)
    return folder


@pytest.fixture
def theirs(make_voc):
    folder = make_voc("theirs")
    for index in range(10):
        label = "bare" if index % 2 else "masked"
        folder.add(f"p{index:02d}.png", (label, (20, 20, 70, 80)), seed=f"theirs {index}")
    return folder


ALIASES = {"bare": "without_mask", "masked": "with_mask"}


def test_one_manifest_of_two_roots_with_the_same_file_names(ours, theirs, tmp_path: Path) -> None:
    chosen = settings({"root": ours.root}, {"root": theirs.root, "aliases": ALIASES, "weight": 0.5})
    summary, manifest = run(tmp_path / "out", chosen)
    assert (summary.pictures, summary.objects) == (20, {"with_mask": 11, "without_mask": 9})
    assert [(root.name, root.weight) for root in manifest.roots] == [("ours", 1.0), ("theirs", 0.5)]
    assert len(manifest.files) == 20
    for picture in manifest.pictures:
        assert manifest.path(picture) == tmp_path / picture.root / picture.picture
        assert manifest.files[f"{picture.root}/{picture.picture}"].is_file()
    report = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "# Data set `ours`, `theirs`" in report
    assert f"Data hash `{manifest.data_hash}`" in report


def test_the_lists_name_files_below_the_common_folder(ours, theirs, tmp_path: Path) -> None:
    _, manifest = run(tmp_path / "out", settings({"root": ours.root}, {"root": theirs.root}))
    assert manifest.folder == tmp_path
    lines = [
        line
        for part in ("train", "val")
        for line in (tmp_path / "out" / f"{part}.txt").read_text(encoding="utf-8").splitlines()
    ]
    assert len(lines) == 20
    for line in lines:
        picture, annotation = line.split()
        assert (manifest.folder / picture).is_file()
        assert (manifest.folder / annotation).is_file()


def test_look_alikes_of_two_roots_are_on_one_side(ours, theirs, tmp_path: Path) -> None:
    for index in range(10):
        theirs.add(f"same{index}.jpg", seed=f"p{index:02d}.png")
    decided = decide(settings({"root": ours.root}, {"root": theirs.root}))
    manifest = decided.manifest
    parts = {manifest.name(picture): picture.part for picture in manifest.pictures}
    pairs = {(pair.first, pair.second) for pair in decided.checked.duplicates.pairs}
    assert pairs == {(f"ours/JPEGImages/p{n:02d}.png", f"theirs/JPEGImages/same{n}.jpg") for n in range(10)}
    assert all(parts[first] == parts[second] for first, second in pairs)


def test_aliases_of_one_root_do_not_reach_the_other(ours, theirs, tmp_path: Path) -> None:
    chosen = settings(
        {"root": ours.root, "aliases": ALIASES},
        {"root": theirs.root},
        labels=["with_mask", "without_mask"],
    )
    with pytest.raises(DatasetError, match="10 label-unknown") as caught:
        decide(chosen)
    assert all("theirs/Annotations/" in line for line in caught.value.faults)


def test_an_alias_of_a_root_to_no_class_names_its_key(ours, theirs, tmp_path: Path) -> None:
    chosen = settings(
        {"root": ours.root}, {"root": theirs.root, "aliases": {"bare": "nomask"}}, labels=["with_mask"]
    )
    with pytest.raises(UsageError, match=r"data\.roots\.1\.aliases: bare stands for nomask"):
        decide(chosen)


def test_an_optional_root_may_be_missing_or_empty(ours, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    chosen = settings({"root": ours.root}, {"root": inbox, "optional": True})
    assert len(decide(chosen).manifest.pictures) == 10
    for folder in ("JPEGImages", "Annotations"):
        (inbox / folder).mkdir(parents=True)
    assert len(decide(chosen).manifest.pictures) == 10
    with pytest.raises(DatasetError, match="holds no pictures"):
        decide(settings({"root": ours.root}, {"root": inbox}))


def test_a_weight_is_how_often_an_epoch_shows_a_picture(ours, theirs, tmp_path: Path) -> None:
    plain = settings({"root": ours.root}, {"root": theirs.root, "aliases": ALIASES})
    heavy = settings(
        {"root": ours.root, "weight": 2}, {"root": theirs.root, "aliases": ALIASES, "weight": 0.5}
    )
    before, after = stored(tmp_path / "plain.json", plain), stored(tmp_path / "heavy.json", heavy)
    weights = [2 if picture.root == "ours" else 0.5 for picture in after.part("train")]
    for share in (0, 0.9):
        assert np.allclose(repeat_factors(after, share), repeat_factors(before, share) * weights)
    assert learnt_sha256(tmp_path / "plain.json") != learnt_sha256(tmp_path / "heavy.json")


def test_the_data_hash_is_that_of_the_content(ours, tmp_path: Path) -> None:
    """It stays the same wherever the folder is, and changes with every label and every byte."""
    manifest = stored(tmp_path / "one.json", DataSettings(root=ours.root))
    moved = tmp_path / "elsewhere" / "deep" / "ours"
    shutil.copytree(ours.root, moved)
    again = decide(DataSettings(root=moved)).manifest
    assert manifest.data_hash == again.data_hash == data_sha256(tmp_path / "one.json")
    assert manifest.path(manifest.pictures[0]) != again.path(again.pictures[0])
    hashes = {manifest.data_hash}
    for old, new in (("with_mask", "without_mask"), (">10<", ">11<")):
        path = moved / "Annotations" / ("p01.xml" if old == "with_mask" else "p00.xml")
        path.write_text(path.read_text().replace(old, new))
        hashes.add(decide(DataSettings(root=moved)).manifest.data_hash)
    picture = moved / "JPEGImages" / "p02.png"
    Image.open(picture).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(picture)
    hashes.add(decide(DataSettings(root=moved)).manifest.data_hash)
    assert len(hashes) == 4


def test_a_manifest_moves_with_its_project(ours, tmp_path: Path) -> None:
    stored(tmp_path / "out" / "manifest.json", DataSettings(root=ours.root))
    shutil.move(tmp_path / "ours", tmp_path / "new" / "ours")
    shutil.move(tmp_path / "out", tmp_path / "new" / "out")
    manifest = load_manifest(tmp_path / "new" / "out" / "manifest.json")
    assert all(path.is_file() for path in manifest.files.values())


def test_a_manifest_without_the_root_of_a_picture_says_what_to_do(ours, tmp_path: Path) -> None:
    manifest = decide(DataSettings(root=ours.root)).manifest
    lost = Manifest(manifest.labels, manifest.pictures)
    with pytest.raises(StageError, match=r"does not say where JPEGImages/p00\.png is") as caught:
        lost.path(lost.pictures[0])
    assert "maskdet prepare" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, "root is missing"),
        ({"root": "a", "roots": [{"root": "b"}]}, "both root and roots"),
        ({"roots": []}, "at least 1"),
        ({"roots": [{"root": "x/a"}, {"root": "y/a"}]}, "two of the roots are called a"),
        ({"roots": [{"root": "a", "weight": 0}]}, "greater than 0"),
        ({"roots": [{"root": "a", "name": "../b"}]}, "match pattern"),
    ],
)
def test_settings_that_make_no_data_set(given: dict[str, object], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        DataSettings(**given)


FACE = ("with_mask", (20, 30, 60, 80))
"""What `Voc.add` draws unless told otherwise."""


def test_annotations_of_a_root_that_corrects_stand_for_the_same_pictures(ours, make_voc, tmp_path):
    inbox = make_voc("inbox")
    relabelled, emptied = "p00.png", "p01.png"
    inbox.add("a.png", ("bare", (20, 20, 70, 80)))
    inbox.add("b.png")
    inbox.edit_xml("b", inbox.objects(FACE), "")
    for own, name in (("a.png", relabelled), ("b.png", emptied)):
        shutil.copy(ours.root / "JPEGImages" / name, inbox.root / "JPEGImages" / own)
    roots = [{"root": ours.root}, {"root": inbox.root, "corrects": True}]

    decided = decide(settings(*roots))

    by_name = {(one.root, one.picture): one for one in decided.manifest.pictures}
    assert ("ours", f"JPEGImages/{relabelled}") not in by_name
    assert [face.label for face in by_name["inbox", "JPEGImages/a.png"].objects] == ["bare"]
    assert by_name["inbox", "JPEGImages/b.png"].objects == ()
    assert len(decided.manifest.pictures) == 10
    said = {
        finding.file: finding.message for finding in decided.checked.findings if finding.code == "corrected"
    }
    assert said.keys() == {f"ours/JPEGImages/{relabelled}", f"ours/JPEGImages/{emptied}"}
    without = decide(settings({"root": ours.root}, {"root": inbox.root}))
    assert len(without.manifest.pictures) == 12


def test_a_root_of_one_part_is_not_split(ours, make_voc) -> None:
    trusted, accepted = make_voc("trusted"), make_voc("accepted")
    for number in range(10):
        trusted.add(f"t{number}.png")
        accepted.add(f"a{number}.png")
    roots = [{"root": ours.root}, {"root": trusted.root, "part": "val"}]

    found = decide(settings(*roots, {"root": accepted.root, "part": "train"})).manifest.pictures

    parts = {
        root: {one.part for one in found if one.root == root} for root in ("ours", "trusted", "accepted")
    }
    assert parts == {"ours": {"train", "val"}, "trusted": {"val"}, "accepted": {"train"}}


def test_what_is_like_a_picture_of_a_val_root_is_left_out(ours, make_voc) -> None:
    trusted = make_voc("trusted")
    trusted.add("t.png")
    copies = [ours.root / "JPEGImages" / name for name in ("p00.png", "p01.png")]
    shutil.copy(copies[0], trusted.root / "JPEGImages" / "t.png")

    decided = decide(settings({"root": ours.root}, {"root": trusted.root, "part": "val"}))

    by_name = {f"{one.root}/{one.picture}": one.part for one in decided.manifest.pictures}
    assert by_name["trusted/JPEGImages/t.png"] == "val"
    assert "ours/JPEGImages/p00.png" not in by_name
    said = [one.message for one in decided.checked.findings if one.code == "val-duplicate"]
    assert said == ["left out: like trusted/JPEGImages/t.png, which is val (the same bytes)"]


def test_a_correction_of_a_picture_of_a_val_root_is_val(ours, make_voc) -> None:
    trusted, inbox = make_voc("trusted"), make_voc("inbox")
    trusted.fill(2)
    for name in ("corrected.png", "new.png"):
        inbox.add(name, seed=f"inbox {name}")
    shutil.copy(trusted.root / "JPEGImages" / "p00.png", inbox.root / "JPEGImages" / "corrected.png")
    roots = [{"root": ours.root, "part": "train"}, {"root": trusted.root, "part": "val"}]

    found = decide(settings(*roots, {"root": inbox.root, "part": "train", "corrects": True}))

    parts = {one.picture: one.part for one in found.manifest.pictures if one.root == "inbox"}
    assert parts == {"JPEGImages/corrected.png": "val", "JPEGImages/new.png": "train"}


def test_roots_of_one_part_alone_make_no_data_set(ours) -> None:
    with pytest.raises(DatasetError, match=r"data\.roots leave val empty"):
        decide(settings({"root": ours.root, "part": "train"}))
