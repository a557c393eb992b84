"""What was val stays val, and nothing like it ever trains."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from maskdet.dataset.manifest import Manifest
from maskdet.dataset.prepare import Decided, decide
from maskdet.dataset.settings import DataRoot, DataSettings, SplitSettings
from maskdet.dataset.splitting.frozen import FrozenVal, read_frozen
from maskdet.errors import DatasetError
from measuring.merge_rounds import Trial


class Project:
    """A data set with a frozen val, prepared again and again."""

    def __init__(self, voc, file: Path) -> None:
        self.voc, self.file = voc, file

    def prepare(self, **others: object) -> Decided:
        given = {"root": self.voc.root, "frozen_val": self.file, **others}
        settings = DataSettings(**{name: value for name, value in given.items() if value is not None})
        decided = decide(settings)
        decided.freeze(settings)
        return decided

    def path(self, name: str) -> Path:
        return self.voc.pictures / Path(name).name

    def rename(self, old: str, new: str) -> None:
        self.path(old).rename(self.path(new))
        annotation = self.voc.annotations / f"{Path(old).stem}.xml"
        annotation.rename(self.voc.annotations / f"{Path(new).stem}.xml")

    def copy(self, old: str, new: str, edit=lambda picture: picture, **options: object) -> None:
        with Image.open(self.path(old)) as picture:
            edit(picture.convert("RGB")).save(self.path(new), **options)
        self.voc.write_xml(
            Path(new).stem, "<annotation>" + self.voc.objects(("with_mask", (5, 5, 50, 50))) + "</annotation>"
        )

    def remove(self, name: str) -> None:
        self.path(name).unlink()
        (self.voc.annotations / f"{Path(name).stem}.xml").unlink()


def parts(manifest: Manifest) -> dict[str, str]:
    return {Path(picture.picture).name: picture.part for picture in manifest.pictures}


def named(manifest: Manifest, part: str) -> list[str]:
    return [Path(picture.picture).name for picture in manifest.part(part)]


def notices(decided: Decided, code: str) -> dict[str, str]:
    return {Path(f.file).name: f.message for f in decided.checked.findings if f.code == code}


@pytest.fixture
def project(make_voc, tmp_path: Path) -> Project:
    voc = make_voc("set")
    voc.fill(15)
    return Project(voc, tmp_path / "set.val.json")


def test_a_ratio_that_comes_too_late_is_said_to_have_no_effect(project: Project) -> None:
    project.prepare(split=SplitSettings(ratio="1:1"))
    decided = project.prepare(split=SplitSettings(ratio="4:1"))
    said = notices(decided, "split-frozen")[project.file.name]
    val = len(decided.manifest.part("val"))
    assert f"{val} of them to val" in said
    assert "4:1" in said
    assert not notices(project.prepare(split=SplitSettings(ratio="1:1")), "split-frozen")


def test_the_file_lists_val_and_does_not_change_without_cause(project: Project) -> None:
    manifest = project.prepare().manifest
    frozen = read_frozen(project.file)
    assert [(one.root, one.picture, one.sha256, one.phash) for one in frozen.val] == [
        ("set", one.picture, one.sha256, one.phash) for one in manifest.part("val")
    ]
    assert set(frozen.train) == {one.sha256[:16] for one in manifest.part("train")}
    written = project.file.read_bytes()
    assert project.prepare().manifest == manifest
    assert project.file.read_bytes() == written


@pytest.mark.parametrize(
    "split", [{"seed": 3}, {"ratio": "1:1"}, {"method": "random"}, {"method": "every-nth"}]
)
def test_another_split_moves_no_picture(project: Project, split: dict[str, object]) -> None:
    before = parts(project.prepare().manifest)
    assert parts(project.prepare(split=SplitSettings(**split)).manifest) == before


def test_new_pictures_are_split_on_their_own_at_the_same_ratio(project: Project) -> None:
    before = parts(project.prepare().manifest)
    for index in range(40):
        project.voc.add(f"new{index:02d}.png")
    after = parts(project.prepare().manifest)
    assert {name: after[name] for name in before} == before
    added = Counter(part for name, part in after.items() if name not in before)
    assert added == {"train": 32, "val": 8}


def test_many_small_additions_come_to_the_ratio_too(project: Project) -> None:
    project.prepare()
    for index in range(60):
        project.voc.add(f"one{index:02d}.png")
        if index % 3 == 2:
            project.prepare()
    added = Counter(
        part for name, part in parts(project.prepare().manifest).items() if name.startswith("one")
    )
    assert 6 <= added["val"] <= 18


COPIES = {
    "re-encoded": (lambda picture: picture, {"quality": 40}),
    "smaller": (lambda picture: picture.resize((80, 60)), {}),
    "mirrored": (lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), {}),
    "cropped": (lambda picture: picture.crop((16, 0, 160, 108)), {}),
}


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_of_a_val_picture_is_left_out_and_named_with_it(project: Project, kind: str) -> None:
    name = named(project.prepare().manifest, "val")[0]
    edit, options = COPIES[kind]
    project.copy(name, "copy.jpg", edit, **options)
    decided = project.prepare()
    assert "copy.jpg" not in parts(decided.manifest)
    assert f"like JPEGImages/{name}, which is val" in notices(decided, "val-duplicate")["copy.jpg"]


def test_a_copy_under_another_name_adds_nothing_to_val(project: Project) -> None:
    before = named(project.prepare().manifest, "val")
    shutil.copy(project.path(before[0]), project.path("again.png"))
    project.voc.write_xml("again", (project.voc.annotations / f"{Path(before[0]).stem}.xml").read_text())
    decided = project.prepare()
    assert named(decided.manifest, "val") == before
    assert "(the same bytes)" in notices(decided, "val-duplicate")["again.png"]


def test_a_copy_that_looks_the_same_has_other_bytes(project: Project) -> None:
    name = named(project.prepare().manifest, "val")[0]
    project.copy(name, "copy.png", compress_level=0)
    assert "(likeness 1.00)" in notices(project.prepare(), "val-duplicate")["copy.png"]


def test_a_renamed_val_picture_stays_val(project: Project) -> None:
    name = named(project.prepare().manifest, "val")[0]
    project.rename(name, "zz.png")
    decided = project.prepare()
    assert parts(decided.manifest)["zz.png"] == "val"
    assert not notices(decided, "val-missing")
    assert len(read_frozen(project.file).val) == 3


def test_a_re_encoded_val_picture_takes_the_place_of_the_one_that_is_gone(project: Project) -> None:
    name = named(project.prepare().manifest, "val")[0]
    project.copy(name, "zz.jpg", quality=60)
    project.remove(name)
    decided = project.prepare()
    assert parts(decided.manifest)["zz.jpg"] == "val"
    assert not notices(decided, "val-missing")
    # It has entered the file, so the next copy is one too many.
    project.copy("zz.jpg", "zzz.jpg", quality=50)
    assert "zzz.jpg" in notices(project.prepare(), "val-duplicate")


def test_a_val_picture_that_is_gone_is_said_and_still_keeps_its_copies_from_training(
    project: Project,
) -> None:
    name = named(project.prepare().manifest, "val")[0]
    project.copy(name, "crop.jpg", COPIES["cropped"][0])
    project.remove(name)
    decided = project.prepare()
    assert "crop.jpg" not in parts(decided.manifest)
    assert f"like set/JPEGImages/{name}" in notices(decided, "val-duplicate")["crop.jpg"]
    assert notices(decided, "val-missing")[name].endswith("is gone")
    assert name in [Path(one.picture).name for one in read_frozen(project.file).val]


def test_a_train_picture_does_not_become_val(project: Project) -> None:
    before = project.prepare().manifest
    for name in named(before, "train")[:4]:
        project.copy(name, f"copy_{Path(name).stem}.jpg", quality=70)
    after = parts(project.prepare().manifest)
    assert all(part == "train" for name, part in after.items() if name.startswith("copy_"))


def test_a_split_that_tears_groups_apart_does_not_train_what_is_like_val(project: Project) -> None:
    project.prepare()
    for index in range(12):
        project.voc.add(f"a{index:02d}.png")
        project.copy(f"a{index:02d}.png", f"b{index:02d}.jpg", quality=50)
    decided = project.prepare(split=SplitSettings(method="random"))
    after = parts(decided.manifest)
    assert notices(decided, "val-duplicate")
    for index in range(12):
        assert {after.get(f"a{index:02d}.png"), after.get(f"b{index:02d}.jpg")} != {"train", "val"}


def test_another_root_name_finds_the_same_val(project: Project) -> None:
    before = project.prepare().manifest
    written = project.file.read_bytes()
    root = DataRoot(root=project.voc.root, name="other")
    after = project.prepare(root=None, roots=(root,)).manifest
    assert parts(after) == parts(before)
    assert project.file.read_bytes() == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"val": []}',
        '{"val": [{"picture": "a"}], "train": []}',
        '{"val": [], "train": ["zz"]}',
        "{" * 9,
    ],
)
def test_a_damaged_file_stops_prepare(project: Project, text: str) -> None:
    project.file.write_text(text)
    with pytest.raises(DatasetError, match=r"data\.frozen_val\) is damaged") as caught:
        project.prepare()
    assert "version control" in caught.value.hint
    assert project.file.read_text() == text


def test_a_set_whose_val_is_gone_is_refused(project: Project) -> None:
    for name in named(project.prepare().manifest, "val"):
        project.remove(name)
    with pytest.raises(DatasetError, match="leave val empty"):
        project.prepare()


def test_the_file_is_read_as_it_was_written(tmp_path: Path, project: Project) -> None:
    frozen = FrozenVal().joined_by(project.prepare().manifest)
    frozen.write(tmp_path / "again.json")
    assert read_frozen(tmp_path / "again.json") == frozen
    raw = json.loads((tmp_path / "again.json").read_text())
    lines = (tmp_path / "again.json").read_text().splitlines()
    assert len(lines) == len(raw["val"]) + len(raw["train"]) + 7


@pytest.mark.parametrize("seed", range(3))
def test_random_merges_never_train_what_was_val(tmp_path: Path, pattern, seed: int) -> None:
    """Renames, moves, removals, copies of every kind, other splits; `merge_rounds.py` itself plays more."""
    sources = (pattern(f"source {seed} {number}") for number in range(1000))
    trial = Trial(tmp_path, random.Random(seed), sources)  # noqa: S311
    trial.play(16, 4)
    assert not trial.leaks
    assert len(trial.was_val) > 3
    assert trial.counts["left out"] > 3


def test_the_play_sees_a_leak(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pattern) -> None:
    """The same play with a val that is forgotten every round."""
    monkeypatch.setattr(Decided, "freeze", lambda decided, settings: None)
    sources = (pattern(f"source {number}") for number in range(1000))
    trial = Trial(tmp_path, random.Random(1), sources)  # noqa: S311
    trial.play(16, 4)
    assert trial.leaks


def test_a_val_picture_that_is_on_disk_and_left_out_is_not_called_gone(project: Project) -> None:
    name = named(project.prepare().manifest, "val")[0]
    project.voc.edit_xml(Path(name).stem, "<width>160<", "<width>16<")
    said = notices(project.prepare(skip_bad=True), "val-missing")[name]
    assert "is on disk, but could not be used" in said


def test_the_report_says_what_decided_the_split(project: Project, tmp_path: Path) -> None:
    heads = []
    for run in ("first", "second"):
        project.voc.prepare(tmp_path / run, frozen_val=project.file, split={"ratio": "3:1"})
        heads.append((tmp_path / run / "report.md").read_text(encoding="utf-8").splitlines()[2])
    assert "Split 3:1, method grouped, seed 0." in heads[0]
    assert "Split 3:1" not in heads[1]
    assert f"stay where an earlier prepare put them, as `{project.file.name}` says." in heads[1]
