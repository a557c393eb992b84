"""The lists of ImageSets/Main: with `method: lists` they decide, and test pictures are in neither part."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from maskdet.dataset.manifest import Manifest
from maskdet.dataset.prepare import Decided, decide
from maskdet.dataset.reading.image_sets import listed_counts, read_image_sets, splits
from maskdet.dataset.reading.layout import find_pairs
from maskdet.dataset.settings import DataSettings
from maskdet.errors import DatasetError

LISTS = {"method": "lists"}


def write_lists(root: Path, **parts: str) -> None:
    """train="p00 p01" and so on."""
    folder = root / "ImageSets" / "Main"
    folder.mkdir(parents=True, exist_ok=True)
    for part, names in parts.items():
        (folder / f"{part}.txt").write_text("".join(f"{name}\n" for name in names.split()), encoding="utf-8")


def stems(manifest: Manifest, part: str) -> str:
    return " ".join(Path(picture.picture).stem for picture in manifest.part(part))


def lines(decided: Decided, code: str) -> list[str]:
    return [str(each) for each in decided.checked.findings if each.code == code]


def split(root: Path, **others: object) -> Decided:
    return decide(DataSettings(root=root, split=LISTS, **others))


@pytest.fixture
def listed(voc):
    voc.fill(10)
    write_lists(voc.root, train="p00 p01 p02 p03 p04 p05", val="p06 p07", test="p08 p09")
    return voc


def test_the_lists_decide_and_test_pictures_are_in_neither_part(listed, tmp_path: Path) -> None:
    summary = listed.prepare(tmp_path / "out", split=LISTS)
    assert (summary.train, summary.val, summary.test) == (6, 2, 2)
    assert summary.findings == ()
    assert stems(split(listed.root).manifest, "val") == "p06 p07"
    report = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "Split by the lists in `ImageSets/Main`; 2 test pictures are in neither part." in report
    assert "p08" not in (tmp_path / "out" / "train.txt").read_text()


def test_another_method_says_that_it_passes_over_the_lists(listed) -> None:
    decided = decide(DataSettings(root=listed.root))
    (line,) = lines(decided, "lists-unused")
    assert (
        "lists 6 train, 2 val, 2 test pictures; data.split deals them anew, the test pictures included"
        in line
    )
    assert "data.split.method: lists" in line
    assert len(decided.manifest.pictures) == 10


def test_a_folder_of_one_part_that_has_test_pictures_says_so_too(listed, make_voc) -> None:
    other = make_voc("other")
    for index in range(5):
        other.add(f"o{index}.png")
    roots = ({"root": listed.root, "part": "train"}, {"root": other.root})
    (line,) = lines(decide(DataSettings(roots=roots)), "lists-unused")
    assert "set/ImageSets/Main: lists" in line
    assert "`part: train` trains on all, the test pictures included" in line


@pytest.mark.parametrize(
    ("parts", "train", "val"),
    [
        ({"trainval": "p00 p01 p02", "val": "p02", "test": "p03"}, "p00 p01", "p02"),
        ({"trainval": "p00 p01 p02", "train": "p00 p01", "test": "p03"}, "p00 p01", "p02"),
        ({"trainval": "p00 p01 p02 p03", "train": "p00 p01", "val": "p02 p03"}, "p00 p01", "p02 p03"),
    ],
)
def test_trainval_stands_in_for_the_list_that_is_missing(voc, parts, train: str, val: str) -> None:
    voc.fill(4)
    write_lists(voc.root, **parts)
    manifest = split(voc.root).manifest
    assert (stems(manifest, "train"), stems(manifest, "val")) == (train, val)


def test_lists_without_val_do_not_split(voc) -> None:
    voc.fill(4)
    write_lists(voc.root, trainval="p00 p01", test="p02 p03")
    counted = listed_counts(voc.root, find_pairs(voc.root).pairs)
    assert counted == {"train": 2, "test": 2}
    assert not splits(counted)
    with pytest.raises(DatasetError, match="the lists in ImageSets/Main leave val empty") as caught:
        split(voc.root)
    assert "val.txt" in caught.value.hint


def test_a_folder_without_lists_is_named(voc) -> None:
    voc.fill(4)
    with pytest.raises(DatasetError, match=r"set/ImageSets/Main has no train.txt and val.txt") as caught:
        split(voc.root)
    assert "data.roots" in caught.value.hint


def test_each_root_has_its_own_lists_but_for_those_of_one_part(listed, make_voc) -> None:
    other, inbox = make_voc("other"), make_voc("inbox")
    for index in range(3):
        other.add(f"p0{index}.png", seed=f"other {index}")
        inbox.add(f"i{index}.png")
    write_lists(other.root, train="p02", val="p00", test="p01")
    roots = ({"root": listed.root}, {"root": other.root}, {"root": inbox.root, "part": "train"})
    manifest = decide(DataSettings(roots=roots, split=LISTS)).manifest
    assert stems(manifest, "val") == "p06 p07 p00"
    assert stems(manifest, "train") == "p00 p01 p02 p03 p04 p05 p02 i0 i1 i2"


def test_a_correction_is_in_the_list_of_the_picture_that_it_corrects(listed, make_voc) -> None:
    inbox = make_voc("inbox")
    for name in ("p06", "p08", "p00"):
        shutil.copy(listed.pictures / f"{name}.png", inbox.pictures / f"i-{name}.png")
        inbox.write_xml(f"i-{name}", (listed.annotations / f"{name}.xml").read_text())
    roots = ({"root": listed.root}, {"root": inbox.root, "part": "train", "corrects": True})
    manifest = decide(DataSettings(roots=roots, split=LISTS)).manifest
    assert stems(manifest, "val") == "p07 i-p06"
    assert stems(manifest, "train") == "p01 p02 p03 p04 p05 i-p00"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"val": "p06 p07 p01"}, "ImageSets/Main/val.txt:3: 'p01' is in train.txt as well, line 2"),
        ({"val": "p06 p07 p77"}, "ImageSets/Main/val.txt:3: there is no picture 'p77' (remove the line)"),
        ({"val": "p06 p07.png"}, "val.txt:2: there is no picture 'p07.png' (lists name pictures without"),
        ({"val": "p06"}, "JPEGImages/p07.png: is in no list of ImageSets/Main"),
    ],
)
def test_faults_of_the_lists_stop_and_skip_bad_leaves_the_pictures_out(listed, parts, said: str) -> None:
    write_lists(listed.root, **parts)
    with pytest.raises(DatasetError) as caught:
        split(listed.root)
    assert any(said in line for line in caught.value.faults), caught.value.faults
    manifest = split(listed.root, skip_bad=True).manifest
    assert "p06" in stems(manifest, "val")
    assert ("p01" in stems(manifest, "train")) == ("p01" not in parts["val"])


def test_a_bad_picture_is_no_fault_of_its_list(listed) -> None:
    (listed.annotations / "p06.xml").unlink()
    with pytest.raises(DatasetError) as caught:
        split(listed.root)
    assert [line.split("[")[-1] for line in caught.value.faults] == ["annotation-missing]"]


def test_near_duplicates_across_the_lists_are_named_and_stay(listed) -> None:
    listed.add("p09.png", seed="p00.png")
    listed.add("p07.png", seed="p01.png")
    decided = split(listed.root)
    assert (len(decided.manifest.part("train")), len(decided.manifest.part("val"))) == (6, 2)
    val, test = lines(decided, "lists-alike")
    assert "p07.png: is val, and looks like JPEGImages/p01.png, which is train" in val
    assert "p09.png: is test, and looks like JPEGImages/p00.png, which is train" in test


def test_a_frozen_val_wins_over_the_lists_and_keeps_train_apart(listed, tmp_path: Path) -> None:
    listed.add("p07.png", seed="p01.png")
    settings = DataSettings(root=listed.root, split=LISTS, frozen_val=tmp_path / "val.json")
    first = decide(settings)
    first.freeze(settings)
    assert stems(first.manifest, "train") == "p00 p02 p03 p04 p05"
    assert any("p01.png: left out" in line for line in lines(first, "val-duplicate"))
    write_lists(listed.root, train="p00 p01 p02 p03 p04 p06", val="p05", test="p07 p08 p09")
    second = decide(settings)
    assert stems(second.manifest, "val") == "p05 p06"
    (line,) = lines(second, "split-frozen")
    assert "1 pictures that ImageSets/Main lists as train were val before" in line
    assert "p07" not in stems(second.manifest, "train")


def test_names_are_compared_however_their_accents_are_written(voc) -> None:
    voc.fill(3)
    voc.add("Ame\u0301lie.png")
    write_lists(voc.root, train="p00 p01 p02", val="Am\u00e9lie")
    sets = read_image_sets(voc.root, find_pairs(voc.root).pairs)
    assert sets.findings == ()
    assert sets.parts["JPEGImages/Ame\u0301lie.png"] == "val"


def test_a_name_may_begin_or_end_with_a_space(voc) -> None:
    for name in ("p .png", "p.png", " p.png", "q .png", "r.png"):
        voc.add(name)
    folder = voc.root / "ImageSets" / "Main"
    folder.mkdir(parents=True)
    (folder / "train.txt").write_text("p \n p\n\n r\n", encoding="utf-8")
    (folder / "trainval.txt").write_text("p \n p\np\nq \nr \n", encoding="utf-8")
    sets = read_image_sets(voc.root, find_pairs(voc.root).pairs)
    assert sets.findings == ()
    assert sets.parts == {
        "JPEGImages/p .png": "train",
        "JPEGImages/ p.png": "train",
        "JPEGImages/r.png": "train",
        "JPEGImages/p.png": "val",
        "JPEGImages/q .png": "val",
    }


def test_a_list_in_another_encoding_is_refused_only_where_it_is_needed(listed) -> None:
    (listed.root / "ImageSets" / "Main" / "val.txt").write_bytes(b"\xff\xfe p06")
    with pytest.raises(DatasetError, match=r"val.txt cannot be read"):
        split(listed.root)
    assert lines(decide(DataSettings(root=listed.root)), "lists-unused") == []
