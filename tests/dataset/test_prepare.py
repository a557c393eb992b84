"""The verb as a whole: what it writes, twice the same, with names from all over the world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from maskdet.dataset.learnt import learnt_sha256
from maskdet.dataset.manifest import load_manifest
from maskdet.dataset.report import fonts
from maskdet.dataset.report.fonts import Typeface, typeface
from maskdet.errors import DatasetError, UsageError
from maskdet.progress import silent
from maskdet.system.files import write_json

PLOTS = ("face_sizes.png", "objects_per_class.png", "samples.png")


def test_what_it_writes(voc, tmp_path: Path) -> None:
    voc.fill(20)
    out = tmp_path / "out"
    summary = voc.prepare(out)
    lists = {part: (out / f"{part}.txt").read_text().splitlines() for part in ("train", "val")}
    assert (len(lists["train"]), len(lists["val"])) == (summary.train, summary.val) == (16, 4)
    for lines in lists.values():
        assert lines == sorted(lines)
        for line in lines:
            picture, annotation = line.split(" ")
            assert (voc.root / picture).is_file()
            assert (voc.root / annotation).is_file()
    assert (out / "label_list.txt").read_text() == "with_mask\nwithout_mask\n"
    manifest = load_manifest(out / "manifest.json")
    assert manifest.labels == ("with_mask", "without_mask")
    assert [item.picture for item in manifest.part("val")] == [line.split()[0] for line in lists["val"]]
    assert manifest.pictures[0].objects[0].box == (10, 20, 60, 90)
    report = (out / "report.md").read_text(encoding="utf-8")
    for plot in PLOTS:
        assert f"({plot})" in report
        with Image.open(out / plot) as picture:
            picture.load()
            assert min(picture.size) > 200


def test_two_processes_write_the_same_bytes(voc, tmp_path: Path) -> None:
    """Under another hash seed, time zone and locale."""
    voc.fill(12)
    program = (
        "import sys; from pathlib import Path; from maskdet.dataset.prepare import prepare\n"
        "from maskdet.dataset.settings import DataSettings\n"
        "out = Path(sys.argv[2]); out.mkdir()\n"
        "prepare(DataSettings(root=Path(sys.argv[1])), out, input_size=(320, 320))"
    )
    for name, variables in {
        "a": {"PYTHONHASHSEED": "1"},
        "b": {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"},
    }.items():
        command = [sys.executable, "-c", program, str(voc.root), str(tmp_path / name)]
        subprocess.run(command, check=True, env={**os.environ, **variables})
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 8
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_labels_in_the_order_of_the_settings(voc, tmp_path: Path) -> None:
    voc.fill(10)
    voc.prepare(tmp_path / "out", labels=("without_mask", "with_mask"))
    assert (tmp_path / "out" / "label_list.txt").read_text() == "without_mask\nwith_mask\n"


def test_aliases(voc, tmp_path: Path) -> None:
    voc.fill(10)
    voc.add("x.png", ("face_nask", (5, 5, 50, 50)))
    summary = voc.prepare(tmp_path / "out", aliases={"face_nask": "with_mask"})
    assert summary.objects == {"with_mask": 7, "without_mask": 4}


def test_a_name_that_does_not_tell_is_a_question(voc, tmp_path: Path) -> None:
    voc.fill(10)
    voc.add("x.png", ("visor", (5, 5, 50, 50)))
    asked = [item for item in voc.prepare(tmp_path / "out").notices if item.code == "role-unknown"]
    assert [str(item) for item in asked] == [
        "data.roles: the name 'visor' is unclear (set its role in data.roles: masked, bare or worn-wrong) "
        "[role-unknown]"
    ]
    manifest = load_manifest(tmp_path / "out" / "manifest.json")
    assert manifest.roles == {"with_mask": "masked", "without_mask": "bare"}


def test_the_users_roles_are_in_the_manifest_and_no_question(voc, tmp_path: Path) -> None:
    voc.fill(10)
    voc.add("x.png", ("visor", (5, 5, 50, 50)))
    summary = voc.prepare(tmp_path / "out", roles={"visor": "bare", "with_mask": "worn-wrong"})
    assert "role-unknown" not in {item.code for item in summary.notices}
    written = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert written["roles"] == {"visor": "bare", "with_mask": "worn-wrong", "without_mask": "bare"}
    assert load_manifest(tmp_path / "out" / "manifest.json").roles == written["roles"]


def test_a_manifest_without_roles_has_those_that_the_names_tell(voc, tmp_path: Path) -> None:
    voc.fill(10)
    voc.prepare(tmp_path / "out")
    path = tmp_path / "out" / "manifest.json"
    content, learnt = json.loads(path.read_text(encoding="utf-8")), learnt_sha256(path)
    del content["roles"]
    write_json(path, content)
    assert load_manifest(path).roles == {"with_mask": "masked", "without_mask": "bare"}
    # Weights that were learnt from it stay those that are learnt from it with roles.
    assert learnt == learnt_sha256(path)


@pytest.mark.parametrize(
    ("chosen", "hint"),
    [
        ({"roles": {"wth_mask": "masked"}}, "did you mean with_mask?"),
        ({"roles": {"cat": "bare"}}, "the classes are with_mask, without_mask"),
        (
            {"roles": {"without_mask": "bare"}, "aliases": {"without_mask": "bare_face"}},
            "data.aliases maps it to bare_face",
        ),
    ],
)
def test_a_role_of_no_class_is_refused(voc, tmp_path: Path, chosen: dict[str, object], hint: str) -> None:
    voc.fill(10)
    with pytest.raises(UsageError, match=r"data\.roles: there is no class") as caught:
        voc.prepare(tmp_path / "out", **chosen)
    assert hint in caught.value.hint


def test_names_with_spaces_and_chinese(voc, tmp_path: Path) -> None:
    voc.fill(8)
    voc.add("戴 口罩.JPG", ("戴口罩", (5, 5, 50, 50)))
    voc.add("$a_b$ `x` |.png", ("$no_mask$", (5, 5, 50, 50)))
    out = tmp_path / "out"
    summary = voc.prepare(out)
    lines = (out / "train.txt").read_text(encoding="utf-8") + (out / "val.txt").read_text(encoding="utf-8")
    assert "JPEGImages/戴 口罩.JPG Annotations/戴 口罩.xml\n" in lines
    assert summary.objects["戴口罩"] == 1
    assert [finding.file for finding in summary.notices if finding.code == "name-with-space"] == [
        "JPEGImages/$a_b$ `x` |.png",
        "JPEGImages/戴 口罩.JPG",
    ]
    report = (out / "report.md").read_text(encoding="utf-8")
    assert "PaddleDetection's own tools split list lines at spaces" in report
    assert "`戴口罩`" in report


def test_names_that_are_not_printable(voc, tmp_path: Path) -> None:
    """Screenshots of macOS have a narrow space; Chinese, Persian and emoji names have the others."""
    voc.fill(8)
    stems = ("at 10.30\u202fAM", "口罩\u3000一\u3000", "\u06a9\u200c\u200d", "a\u00a0b")
    for stem in stems:
        voc.add(f"{stem}.png")
    lists = voc.root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("".join(f"p{index:02d}\n" for index in range(8)), encoding="utf-8")
    (lists / "val.txt").write_text("".join(f"{stem}\n" for stem in stems), encoding="utf-8")
    summary = voc.prepare(tmp_path / "out", split={"method": "lists"})
    assert (summary.train, summary.val) == (8, 4)
    lines = (tmp_path / "out" / "val.txt").read_text(encoding="utf-8")
    assert all(f"JPEGImages/{stem}.png " in lines for stem in stems)
    assert {finding.code for finding in summary.findings} == {"name-with-space"}


def test_every_kind_of_picture_in_one_set(voc, tmp_path: Path) -> None:
    for name in ("a.jpg", "b.JPEG", "c.PNG", "d.bmp", "e.WebP", "f.png", "g.jpg", "h.jpg"):
        voc.add(name)
    assert voc.prepare(tmp_path / "out").pictures == 8


def test_boxes_at_the_edges_stay_and_are_cut(voc, tmp_path: Path) -> None:
    voc.fill(6)
    voc.add("x.png", ("with_mask", (0, 0, 160, 120)), ("with_mask", (-0.5, 1, 161, 50)))
    voc.prepare(tmp_path / "out")
    (picture,) = [
        p for p in load_manifest(tmp_path / "out" / "manifest.json").pictures if "x.png" in p.picture
    ]
    assert [item.box for item in picture.objects] == [(0, 0, 160, 120), (0, 1, 160, 50)]


def test_difficult_faces_are_marked(voc, tmp_path: Path) -> None:
    voc.fill(6)
    voc.edit_xml("p01", "<difficult>0<", "<difficult>1<")
    voc.prepare(tmp_path / "out")
    raw = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [item["objects"][0]["difficult"] for item in raw["pictures"]] == [
        False,
        True,
        False,
        False,
        False,
        False,
    ]
    report = (tmp_path / "out" / "report.md").read_text()
    assert "| of these difficult, which are ignored | 1 | 0 |" in report


def test_a_set_of_difficult_faces_is_an_error(voc, tmp_path: Path) -> None:
    voc.fill(3)
    for number in range(3):
        voc.edit_xml(f"p{number:02d}", "<difficult>0<", "<difficult>1<")
    with pytest.raises(DatasetError, match="no usable object in 3 usable pictures") as caught:
        voc.prepare(tmp_path / "out")
    assert "not difficult" in str(caught.value.hint)


def test_progress_is_tracked(voc, tmp_path: Path, prepare_folder) -> None:
    voc.fill(5)
    seen = []

    def track(items, description, total=None):
        seen.append((description, total))
        return silent(items, description, total)

    prepare_folder(voc.root, tmp_path / "out", track=track)
    assert seen == [("Reading pictures", 5)]


def test_a_set_without_faces_is_an_error(voc, tmp_path: Path) -> None:
    voc.fill(3)
    for path in voc.annotations.iterdir():
        path.write_text("<annotation/>")
    with pytest.raises(DatasetError, match="no usable object in 3 usable pictures"):
        voc.prepare(tmp_path / "out")


def test_too_few_pictures_to_split(voc, tmp_path: Path) -> None:
    voc.fill(1)
    with pytest.raises(DatasetError, match="leaves val empty"):
        voc.prepare(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_look_alikes_on_both_sides_are_told(voc, tmp_path: Path) -> None:
    for index in range(10):
        voc.add(f"p{index}.png", seed=f"{index // 2}")
    voc.prepare(tmp_path / "nth", split={"method": "every-nth"})
    assert "**2 pairs are on both sides" in (tmp_path / "nth" / "report.md").read_text()
    voc.prepare(tmp_path / "grouped")
    assert "Each pair is on one side" in (tmp_path / "grouped" / "report.md").read_text()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("with_mask", "with_mask"),
        ("$x$", r"\$x\$"),
        ("_hidden", " _hidden"),
        ("戴口罩", "class 3"),
        ("a\x1b[31m\nb", "a [31m b"),
    ],
)
def test_names_in_plots(text: str, shown: str) -> None:
    latin = Typeface(("DejaVu Sans",), frozenset(range(32, 127)))
    assert latin.shown(text, "class 3", 28) == shown


def test_a_chinese_font_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other font stands for it; the machine that tests may have no Chinese one."""
    monkeypatch.setattr(fonts, "_CJK", ("No Such Font", "DejaVu Serif", "DejaVu Sans Mono"))
    typeface.cache_clear()
    try:
        assert typeface().families == ("DejaVu Sans", "DejaVu Serif")
    finally:
        typeface.cache_clear()
