"""The verb: what it recognises, where it writes, and that nothing is half-written."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from labelled_sets import add, draw

from maskdet.dataset.formats import writing
from maskdet.dataset.formats.convert import Conversion, convert
from maskdet.dataset.formats.notes import notes
from maskdet.dataset.formats.recognise import nearby, recognise
from maskdet.errors import DatasetError, UsageError
from maskdet.pipeline.file.scaffold import survey

Turn = Callable[..., Conversion]


def test_what_it_writes_it_recognises(voc: Path, tmp_path: Path, turn: Turn) -> None:
    assert recognise(voc) == "voc"
    for form in ("coco", "yolo"):
        turn("voc", form, form)
        assert recognise(tmp_path / form) == form
    assert recognise(tmp_path / "coco/annotations/instances.json") == "coco"
    assert recognise(tmp_path) is None
    with pytest.raises(UsageError, match="is a COCO set already"):
        turn("coco", "more", "coco")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="not recognised as a Pascal VOC, COCO, YOLO set"):
        turn("empty", "more", "coco")
    with pytest.raises(DatasetError, match="does not exist"):
        turn("nowhere", "more", "coco")


def test_from_overrides_what_it_would_recognise(voc: Path, turn: Turn) -> None:
    draw(voc / "images" / "a.jpg")
    (voc / "classes.txt").write_text("x\n")
    assert turn("voc", "one", "coco", given="yolo").pictures == 1
    assert turn("voc", "two", "coco").pictures == 4


def test_only_an_empty_folder_is_written_to(voc: Path, tmp_path: Path, turn: Turn) -> None:
    (tmp_path / "there").mkdir()
    turn("voc", "there", "yolo")
    with pytest.raises(UsageError, match="exists already"):
        turn("voc", "there", "coco")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="exists already"):
        turn("voc", "file", "coco")


def test_a_full_disk_leaves_nothing(
    voc: Path, tmp_path: Path, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = writing.shutil.copyfile

    def full(source: Path, target: Path) -> None:
        if source.name == "turned.jpg":
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        copy(source, target)

    monkeypatch.setattr(writing.shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        turn("voc", "out", "coco")
    assert [path.name for path in tmp_path.iterdir()] == ["voc"]


def test_links_share_the_bytes(voc: Path, tmp_path: Path, turn: Turn) -> None:
    turn("voc", "linked", "yolo", placing="link")
    turn("voc", "copied", "yolo")
    original = (voc / "JPEGImages" / "plain.jpg").stat().st_ino
    assert (tmp_path / "linked/images/plain.jpg").stat().st_ino == original
    assert (tmp_path / "copied/images/plain.jpg").stat().st_ino != original


def test_faults_of_a_voc_folder_stop_it(voc: Path, tmp_path: Path, turn: Turn) -> None:
    add(voc, "bad.jpg", ("a", (1, 2, 90, 20), 0), ("b", (1, 2, 30, 20), 0))
    add(voc, "lost.jpg", ("a", (5, 2, 5, 20), 0))
    (voc / "JPEGImages" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (voc / "Annotations" / "broken.xml").write_text("<annotation/>")
    with pytest.raises(DatasetError, match="3 errors") as caught:
        turn("voc", "out", "coco")
    text = "\n".join(caught.value.faults)
    for said in ("Annotations/bad.xml:1: object 1: box (1, 2, 90, 20)", "Annotations/lost.xml", "broken.jpg"):
        assert said in text
    done = turn("voc", "out", "coco", skip_bad=True)
    assert (done.pictures, done.objects["b"], len(done.dropped)) == (5, 1, 3)


def test_a_nested_folder_stops_it_and_leaving_out_does_not_help(voc: Path, turn: Turn) -> None:
    (voc / "JPEGImages" / "more").mkdir()
    for skip_bad in (False, True):
        with pytest.raises(DatasetError, match=r"1 error \(1 nested-folder\)") as caught:
            turn("voc", "out", "coco", skip_bad=skip_bad)
        assert caught.value.hint == "fix them; --skip-bad does not help here, as whole folders would be lost"
        assert caught.value.faults[0].startswith("error: JPEGImages/more")


def test_lists_have_to_cover_the_set(voc: Path, turn: Turn) -> None:
    lists = voc / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("plain\nturned\n")
    with pytest.raises(DatasetError, match=r"2 errors \(2 list-missing\)"):
        turn("voc", "out", "coco")
    (lists / "val.txt").write_text("nobody\nturned\n口罩 1\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="1 list-double") as caught:
        turn("voc", "out", "coco")
    assert "ImageSets/Main/val.txt:2: 'turned' is in train.txt as well" in caught.value.faults[0]
    assert turn("voc", "out", "coco", skip_bad=True).parts == {"train": 1, "val": 2}


def _exported(voc: Path, root: Path, **parts: str) -> Path:
    """The pictures of `voc` as Roboflow exports them: train="plain turned" and so on."""
    for part, stems in parts.items():
        (root / part).mkdir(parents=True)
        for path in (path for path in voc.glob("*/*") if path.stem in stems.split()):
            shutil.copyfile(path, root / part / path.name)
    return root


def test_a_folder_for_each_part_becomes_lists(voc: Path, tmp_path: Path, turn: Turn) -> None:
    add(voc, "b.jpg", ("a", (1, 2, 30, 20), 0))
    root = _exported(voc, tmp_path / "export", train="plain b", valid="turned", test="nobody")
    shutil.copyfile(root / "train" / "b.jpg", root / "valid" / "plain.jpg")
    shutil.copyfile(root / "train" / "b.xml", root / "valid" / "plain.xml")
    assert recognise(root) == "voc"
    assert turn("export", "out", "voc").parts == {"train": 2, "val": 2, "test": 1}
    lists = {path.name: path.read_text() for path in (tmp_path / "out" / "ImageSets" / "Main").iterdir()}
    assert lists == {
        "train.txt": "b\ntrain-plain\n",
        "val.txt": "val-plain\nturned\n",
        "test.txt": "nobody\n",
    }
    assert turn("export", "yolo", "yolo").parts == {"train": 2, "val": 2, "test": 1}
    with pytest.raises(UsageError, match="is a Pascal VOC set already"):
        turn("out", "more", "voc")


def test_faults_in_the_folder_of_a_part_are_placed(voc: Path, tmp_path: Path, turn: Turn) -> None:
    root = _exported(voc, tmp_path / "export", train="plain", valid="turned", test="nobody")
    (root / "train" / "plain.xml").unlink()
    (root / "test" / "nobody.xml").unlink()
    with pytest.raises(DatasetError, match=r"2 errors \(2 annotation-missing\)") as caught:
        turn("export", "out", "voc")
    assert caught.value.faults[0].startswith("error: test/nobody.PNG: no file with this stem in test/")


def test_a_folder_for_training_alone_is_not_split(voc: Path, tmp_path: Path, turn: Turn) -> None:
    _exported(voc, tmp_path / "export", train="plain turned")
    assert turn("export", "out", "voc").parts == {"": 2}


@pytest.mark.parametrize("folder", [".", "voc/JPEGImages", "voc/Annotations"])
def test_a_set_one_level_away_is_named(voc: Path, tmp_path: Path, turn: Turn, folder: str) -> None:
    with pytest.raises(DatasetError, match="is not recognised") as caught:
        turn(folder, "out", "coco")
    assert caught.value.hint == f"did you mean {voc}?"
    with pytest.raises(DatasetError) as caught:
        survey(tmp_path / folder)
    assert caught.value.hint == f"did you mean {voc}?"


def test_few_of_many_sets_are_named(voc: Path, tmp_path: Path) -> None:
    for number in range(4):
        shutil.copytree(voc, tmp_path / "many" / f"{number}")
    names = " or ".join(str(tmp_path / "many" / f"{number}") for number in range(3))
    assert nearby(tmp_path / "many") == f"did you mean {names}?"


def test_pictures_that_share_a_stem_keep_apart(tmp_path: Path) -> None:
    root = tmp_path / "yolo"
    for name in ("images/x/a.jpg", "images/y/A.jpg", "images/z/b.jpg"):
        draw(root / name)
    (root / "classes.txt").write_text("m\n")
    convert(root, tmp_path / "voc", "voc")
    names = sorted(path.name for path in (tmp_path / "voc" / "JPEGImages").iterdir())
    assert names == ["b.jpg", "x-a.jpg", "y-A.jpg"]


def test_notes_say_what_the_format_keeps_elsewhere(voc: Path, turn: Turn) -> None:
    there = turn("voc", "yolo", "yolo")
    assert any("difficult.json" in note for note in notes(there))
    assert any("no `val`" in note for note in notes(there))
    back = turn("yolo", "voc2", "voc")
    number, turned = notes(back)
    assert number == "in the source: 1 turn-unclear"
    assert turned.startswith("labels/turned.txt: the boxes may have been made before the picture's EXIF turn")
    assert any("`data.split.method: lists`" in note for note in notes(_parted(voc, turn)))
    assert (voc.parent / "parted-voc" / "ImageSets" / "Main" / "val.txt").read_text("utf-8") == "口罩 1\n"


def _parted(voc: Path, turn: Turn) -> Conversion:
    lists = voc / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("plain\nturned\nnobody\n")
    (lists / "val.txt").write_text("口罩 1\n", encoding="utf-8")
    turn("voc", "parted", "coco")
    return turn("parted", "parted-voc", "voc")
