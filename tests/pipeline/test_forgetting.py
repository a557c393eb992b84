"""`maskdet data forget`: what goes, what stays, and what is said."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inbox_pictures import date_back, encoded, proposal, stored
from typer.testing import CliRunner

from maskdet.artefacts import EVAL_PLOTS
from maskdet.cli.app import app
from maskdet.dataset.likeness import perceptual_hash
from maskdet.dataset.manifest import Manifest, ManifestPicture, ManifestRoot, load_manifest
from maskdet.dataset.splitting.frozen import FrozenVal, read_frozen
from maskdet.dataset.unlabelled import Unlabelled, UnlabelledFace, read_unlabelled
from maskdet.detector.picture import decode
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.record import Record
from maskdet.pipeline.forgetting.removal import forgotten
from maskdet.registry.pictures import pictures_text
from maskdet.registry.records import PictureRecord
from maskdet.system.files import sha256_file

SHEETS = ("audit-model/index.html", "eval/worst.png", "prepare/samples.png", "report.html")
FIGURES = ("train/index.html", "train/curves.png", *(f"eval/{name}" for name in EVAL_PLOTS))


class Project:
    """A data root with three pictures, a run and a registered model that know them, and an inbox."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "voc"
        for name, kind in (("a.png", "PNG"), ("other.png", "PNG"), ("b.jpg", "JPEG")):
            seed = int(name.startswith("other"))
            self.write(self.data / "JPEGImages" / name, encoded(kind, seed=seed))
            self.write(self.data / "Annotations" / f"{Path(name).stem}.xml", b"<annotation/>")
        self.run = folder / "runs" / "mask"
        self.know("a.png", "val")
        for name in (*SHEETS, *FIGURES):
            self.write(self.run / name, b"drawn")
        self.inbox = Inbox(folder / "inbox")
        self.write(folder / "pipeline.yml", b"name: mask\ndata:\n  root: voc\nserve:\n  inbox: inbox\n")
        version = folder / "models" / "face-mask" / "versions" / "0001"
        facts = self.facts("a.png")
        self.write(version / "pictures.json", pictures_text([PictureRecord(**facts, part="val")]).encode())
        self.write(folder / "models" / "face-mask" / "aliases" / "champion", b"1\n")

    @staticmethod
    def write(path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def facts(self, name: str) -> dict[str, str]:
        path = self.data / "JPEGImages" / name
        return {"sha256": sha256_file(path), "phash": perceptual_hash(decode(path.read_bytes()))}

    def know(self, name: str, part: Any) -> None:
        file = ManifestPicture(f"JPEGImages/{name}", "", part, 200, 160, objects=(), **self.facts(name))
        (self.run / "prepare").mkdir(parents=True, exist_ok=True)
        roots = (ManifestRoot("voc", self.data),)
        Manifest(("with_mask",), (file,), {}, roots).write(self.run / "prepare" / "manifest.json")

    def set_data(self, key: str, file: str) -> Path:
        """Name a file in the pipeline file's data section."""
        pipeline = self.folder / "pipeline.yml"
        text = pipeline.read_text().replace("root: voc\n", f"root: voc\n  {key}: {file}\n")
        pipeline.write_text(text)
        return self.folder / file

    def delete(self) -> None:
        """By hand: the pictures that look like a.png, and what was drawn of them."""
        for name in ("a.png", "b.jpg"):
            (self.data / "JPEGImages" / name).unlink()
        for name in SHEETS:
            (self.run / name).unlink()

    def left(self) -> list[str]:
        return sorted(path.name for path in (self.data / "JPEGImages").iterdir())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def forget(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["data", "forget", *arguments])


def propose(project: Project, seed: int = 0) -> Record:
    record = project.inbox.propose(proposal(seed))
    assert record is not None
    return record


def test_everything_is_listed_and_nothing_removed(project: Project) -> None:
    record = propose(project)

    done = forget("voc/JPEGImages/a.png")

    assert done.exit_code == 0, done.output
    said = done.output
    for path in (
        "voc/JPEGImages/a.png",
        "voc/JPEGImages/b.jpg  (looks like it)",
        f"inbox/proposals/{record.file}",
    ):
        assert f"picture  {path}" in said
    assert "other.png" not in said
    for name in SHEETS:
        assert f"result   runs/mask/{name}" in said
    for name in FIGURES:
        assert name not in said
    assert "model    face-mask@1 (champion) was validated on it" in said
    assert "registry their pictures.json keeps its sha256 and its perceptual hash" in said
    assert "runs/mask: it is in the frozen val part" in said
    assert "nothing was removed: add --yes" in said
    assert project.left() == ["a.png", "b.jpg", "other.png"]
    assert not (project.folder / "runs" / "forgotten.jsonl").exists()


def test_it_goes_from_everywhere_and_only_hashes_stay(project: Project) -> None:
    record = propose(project)
    digest = project.facts("a.png")["sha256"]

    done = forget(digest[:12], "--yes")

    assert done.exit_code == 0, done.output
    assert project.left() == ["other.png"]
    assert sorted(path.name for path in (project.data / "Annotations").iterdir()) == ["other.xml"]
    assert stored(project.folder / "inbox") == []
    assert project.inbox.records() == []
    assert [name for name in SHEETS if (project.run / name).exists()] == []
    assert [name for name in FIGURES if (project.run / name).exists()] == [*FIGURES]
    text = (project.folder / "runs" / "forgotten.jsonl").read_text()
    line = json.loads(text)
    assert (line["what"], line["models"]) == ("forgotten", ["face-mask@1 (champion)"])
    assert {digest, record.sha256} < set(line["sha256"])
    assert "a.png" not in text
    assert "voc" not in text
    # Said again, there is nothing left; its hash is still known to the manifest and the registry.
    assert "nothing to remove" in forget(digest, "--yes").output


def test_what_only_a_version_knows_is_forgotten_too(project: Project) -> None:
    """The version saw a copy of the picture that is gone since; the next version shall not keep its hash."""
    known = project.folder / "models" / "face-mask" / "versions" / "0001" / "pictures.json"
    gone = PictureRecord(sha256="0" * 64, phash=project.facts("a.png")["phash"], part="train")
    known.write_text(pictures_text([gone]))
    digest = project.facts("a.png")["sha256"]

    done = forget("voc/JPEGImages/a.png", "--yes")

    assert "face-mask@1 (champion) was trained on it" in done.output
    assert {gone.sha256, digest} < forgotten(project.folder / "runs")


def test_of_a_frozen_val_picture_only_its_bytes_are_known(project: Project) -> None:
    file = project.set_data("frozen_val", "pipeline.val.json")
    FrozenVal().joined_by(load_manifest(project.run / "prepare" / "manifest.json")).write(file)
    [before] = read_frozen(file).val

    forget("voc/JPEGImages/a.png", "--yes")

    assert before.phash
    assert read_frozen(file).val == (replace(before, phash=""),)


def test_nothing_of_it_stays_in_the_file_of_unlabelled_faces(project: Project) -> None:
    file = project.set_data("unlabelled", "lacking.json")
    mine, other = (
        UnlabelledFace("voc", name, project.facts(name)["sha256"], "with_mask", (1, 2, 3, 4), 0.9)
        for name in ("a.png", "other.png")
    )
    Unlabelled((mine, other)).write(file)

    forget("voc/JPEGImages/a.png", "--yes")

    assert read_unlabelled(file).faces == (other,)


def test_a_picture_that_was_deleted_by_hand_is_forgotten_by_lists_and_versions(project: Project) -> None:
    frozen = project.set_data("frozen_val", "pipeline.val.json")
    FrozenVal().joined_by(load_manifest(project.run / "prepare" / "manifest.json")).write(frozen)
    unlabelled = project.set_data("unlabelled", "lacking.json")
    digest = project.facts("a.png")["sha256"]
    Unlabelled((UnlabelledFace("voc", "a.png", digest, "with_mask", (1, 2, 3, 4), 0.9),)).write(unlabelled)
    project.delete()

    done = forget(digest, "--yes")

    assert "list     pipeline.val.json mentions it" in done.output
    assert "list     lacking.json mentions it" in done.output
    assert [one.phash for one in read_frozen(frozen).val] == [""]
    assert read_unlabelled(unlabelled).faces == ()
    assert digest in forgotten(project.folder / "runs")
    assert "nothing to remove" in forget(digest, "--yes").output


def test_a_list_finds_a_deleted_picture_by_a_copy_of_it(project: Project, tmp_path: Path) -> None:
    frozen = project.set_data("frozen_val", "pipeline.val.json")
    FrozenVal().joined_by(load_manifest(project.run / "prepare" / "manifest.json")).write(frozen)
    shutil.rmtree(project.folder / "models")
    copy = tmp_path / "copy.jpg"
    copy.write_bytes((project.data / "JPEGImages" / "b.jpg").read_bytes())
    project.delete()

    forget(str(copy), "--yes")

    assert [one.phash for one in read_frozen(frozen).val] == [""]


def test_what_was_drawn_before_the_run_was_prepared_anew_goes_too(project: Project, tmp_path: Path) -> None:
    """The picture was deleted by hand, and nothing but the drawings has it; report.html is drawn since."""
    shutil.rmtree(project.folder / "models")
    copy = shutil.move(project.data / "JPEGImages" / "a.png", tmp_path / "copy.png")
    (project.data / "JPEGImages" / "b.jpg").unlink()
    for name in SHEETS[:-1]:
        os.utime(project.run / name, (0, 0))
    project.know("other.png", "val")
    project.write(project.run / "report.html", b"drawn")

    done = forget(str(copy), "--yes")

    for name in ("audit-model/index.html", "eval/worst.png"):
        assert f"result   runs/mask/{name}  (older than its run's manifest: it may show" in done.output
    assert "removed 2 files" in done.output
    assert [name for name in SHEETS if (project.run / name).exists()] == [*SHEETS[2:]]
    assert "nothing to remove" in forget(str(copy), "--yes").output


def test_a_run_that_used_a_look_alike_deleted_since_is_found(project: Project, tmp_path: Path) -> None:
    shutil.rmtree(project.folder / "models")
    project.know("b.jpg", "val")
    digest = project.facts("b.jpg")["sha256"]
    (project.data / "JPEGImages" / "b.jpg").unlink()
    copy = shutil.move(project.data / "JPEGImages" / "a.png", tmp_path / "copy.png")

    done = forget(str(copy), "--yes")

    assert "runs/mask: it is in the frozen val part" in done.output
    assert [name for name in SHEETS if (project.run / name).exists()] == []
    assert digest in forgotten(project.folder / "runs")


def test_nobody_to_forget_leaves_old_drawings(project: Project) -> None:
    os.utime(project.run / "eval" / "worst.png", (0, 0))

    assert "nothing to remove" in forget("--older-than", "30d").output


def test_what_only_a_version_has_seen_is_noted_once(project: Project) -> None:
    digest = project.facts("a.png")["sha256"]
    project.delete()

    forget(digest, "--yes")

    assert digest in forgotten(project.folder / "runs")
    assert "nothing to remove" in forget(digest, "--yes").output


def test_exact_leaves_what_looks_alike(project: Project) -> None:
    record = propose(project)

    forget("voc/JPEGImages/a.png", "--exact", "--yes")

    assert project.left() == ["b.jpg", "other.png"]
    assert stored(project.folder / "inbox") == [f"proposals/{record.file}"]


def test_accepted_pictures_go_too_and_a_copy_elsewhere_finds_them(project: Project, tmp_path: Path) -> None:
    record = propose(project, seed=5)
    project.inbox.decide(record.name, "accept", revision=1, by="anna")
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(encoded("JPEG", seed=5, quality=50))

    forget(str(copy), "--yes")

    assert stored(project.folder / "inbox") == []
    assert copy.exists()
    assert project.left() == ["a.png", "b.jpg", "other.png"]


def test_older_than_clears_the_inbox(project: Project) -> None:
    old, fresh = propose(project, 3), propose(project, 4)
    date_back(project.folder / "inbox", old.name, days=40)

    assert forget("--older-than", "30d", "--yes").exit_code == 0

    assert [one.name for one in project.inbox.records()] == [fresh.name]
    assert project.left() == ["a.png", "b.jpg", "other.png"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name a picture, or an age"),
        (["x.png", "--older-than", "1d"], "name a picture, or an age"),
        (["--older-than", "soon"], "not an age"),
        (["missing.png"], "no such file"),
        (["0" * 64], "no picture has a sha256"),
        (["0" * 11], "no such file, and no sha256"),
        (["voc/JPEGImages/a.png", "--inbox", "inbx", "--inbox", "inbox"], "--inbox inbx: no inbox"),
    ],
)
def test_what_cannot_be_found_is_said(project: Project, arguments: list[str], says: str) -> None:
    done = forget(*arguments)

    assert done.exit_code != 0
    assert says in str(done.exception)
