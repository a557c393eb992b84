"""Versions, aliases, references and the history."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from maskdet.artefacts import BUNDLE
from maskdet.errors import BundleError, RegistryError
from maskdet.registry.records import Judged, Lineage, Move, PictureRecord
from maskdet.registry.reference import is_reference, parse_reference
from maskdet.registry.registry import Registry

SHA = "ab" * 32


def damage(folder: Path) -> None:
    (folder / BUNDLE).write_bytes(b"")


def lose(folder: Path) -> None:
    shutil.rmtree(folder)


def test_a_version_is_files_that_a_person_can_read(bundle: Callable[[int], Path], tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    seen = [PictureRecord(sha256=SHA, phash="0f" * 32, part="val")]
    lineage = Lineage(source="runs/demo", metrics={"ap50": 0.5}, counts={"pictures": 10})

    made = registry.register(
        "face-mask", bundle(1), lineage, pictures=seen, files={"pipeline.yml": "name: x\n"}
    )

    folder = tmp_path / "models" / "face-mask" / "versions" / "0001"
    assert sorted(path.name for path in folder.iterdir()) == [
        "model.onnx",
        "pictures.json",
        "pipeline.yml",
        "version.json",
    ]
    record = json.loads((folder / "version.json").read_text())
    assert record["number"] == 1
    assert record["bundle"] == hashlib.sha256(bundle(1).read_bytes()).hexdigest()
    assert record["lineage"]["counts"] == {"pictures": 10}
    assert made.reference == "models:face-mask@1"
    assert made.pictures() == tuple(seen)
    assert made.checked_bundle() == folder / "model.onnx"


def test_the_same_bundle_is_the_same_version(registry: Registry, bundle: Callable[[int], Path]) -> None:
    assert registry.register("face-mask", bundle(2)).number == 2
    assert [version.number for version in registry.versions("face-mask")] == [1, 2, 3]


@pytest.mark.parametrize("harm", [damage, lose], ids=["damaged", "lost"])
def test_a_version_that_is_no_longer_whole_is_registered_anew(
    registry: Registry, bundle: Callable[[int], Path], harm: Callable[[Path], object]
) -> None:
    harm(registry.version("face-mask", 2).folder)

    again = registry.register("face-mask", bundle(2))

    assert again.number == 4
    assert again.checked_bundle().is_file()
    assert registry.register("face-mask", bundle(2)).number == 4


def test_the_same_verdict_again_is_not_recorded(registry: Registry) -> None:
    for reasons in ((), (), ("ap50: too low",), ("ap50: too low",), ()):
        registry.note_verdict("face-mask", 1, reasons=reasons, fingerprint=SHA)

    verdicts = [one for one in registry.history("face-mask") if isinstance(one, Judged)]
    assert [(one.number, one.passed) for one in verdicts] == [(1, True), (1, False), (1, True)]


def test_no_alias_moves_to_a_damaged_version(registry: Registry) -> None:
    for number in (1, 2):
        registry.set_alias("face-mask", "champion", number, why="")
    for number in (1, 3):
        damage(registry.version("face-mask", number).folder)

    with pytest.raises(RegistryError, match="is not the file that was registered"):
        registry.set_alias("face-mask", "champion", 3, why="")
    with pytest.raises(RegistryError, match="is not the file that was registered"):
        registry.rollback("face-mask", "champion")

    assert registry.aliases("face-mask") == {"champion": 2}


def test_what_is_no_bundle_leaves_no_model(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(BundleError):
        Registry(tmp_path / "models").register("face-mask", tmp_path / "x.onnx")
    assert not (tmp_path / "models").exists()


def test_an_alias_moves_and_goes_back_step_by_step(registry: Registry) -> None:
    for number in (1, 2, 3):
        registry.set_alias("face-mask", "champion", number, by="ann", why=f"reason {number}")
    assert registry.resolve("models:face-mask@champion").number == 3

    assert registry.rollback("face-mask", "champion", by="bob", why="it is slow").after == 2
    assert registry.rollback("face-mask", "champion").after == 1
    with pytest.raises(RegistryError, match="no other version"):
        registry.rollback("face-mask", "champion")
    registry.set_alias("face-mask", "champion", 3, by="ann", why="again")
    assert registry.rollback("face-mask", "champion").after == 1

    moves = [event for event in registry.history("face-mask") if isinstance(event, Move)]
    assert [(move.event, move.before, move.after) for move in moves] == [
        ("promoted", None, 1),
        ("promoted", 1, 2),
        ("promoted", 2, 3),
        ("rolled back", 3, 2),
        ("rolled back", 2, 1),
        ("promoted", 1, 3),
        ("rolled back", 3, 1),
    ]
    assert (moves[3].by, moves[3].why) == ("bob", "it is slow")
    assert (registry.folder / "face-mask" / "aliases" / "champion").read_text() == "1\n"


def test_the_second_of_two_promotions_is_told_who_was_first(registry: Registry) -> None:
    registry.set_alias("face-mask", "champion", 1, by="ann", why="start")
    registry.set_alias("face-mask", "champion", 2, by="bob", why="better recall", expected=1)
    with pytest.raises(RegistryError, match=r"version 2, not to version 1: bob moved it \(better recall\)"):
        registry.set_alias("face-mask", "champion", 3, by="cid", why="mine", expected=1)
    assert registry.aliases("face-mask") == {"champion": 2}
    with pytest.raises(RegistryError, match="points to nothing, not to version 1"):
        registry.set_alias("face-mask", "challenger", 3, why="mine", expected=1)
    registry.set_alias("face-mask", "challenger", 3, why="mine", expected=0)


def test_moving_to_where_it_is_records_nothing(registry: Registry) -> None:
    registry.set_alias("face-mask", "champion", 1, why="start")
    events = registry.history("face-mask")
    move = registry.set_alias("face-mask", "champion", 1, why="again")
    assert move.before == move.after == 1
    assert registry.history("face-mask") == events


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("models:face-mask@champoin", "no alias champoin", "did you mean champion?"),
        ("models:face-maks@1", "no model face-maks", "did you mean face-mask?"),
        ("models:face-mask@9", "no version 9", "its versions are 1 to 3"),
        ("models:face-mask", "does not name a version", "models:NAME@ALIAS"),
        ("models:../etc@1", "cannot be called", "letters, digits"),
        ("models:face-mask@../x", "cannot be called", "a letter first"),
        ("models:face-mask@0", "cannot be called", "a letter first"),
    ],
)
def test_a_reference_that_leads_nowhere_says_what_is_near(
    registry: Registry, text: str, what: str, hint: str
) -> None:
    registry.set_alias("face-mask", "champion", 1, why="start")
    with pytest.raises(RegistryError, match=what) as caught:
        registry.resolve(text)
    assert hint in caught.value.hint
    assert caught.value.exit_code == 13


def test_references_are_told_from_files() -> None:
    assert is_reference("models:face-mask@3")
    assert is_reference(Path("models:face-mask@3"))
    assert not is_reference("models/face-mask.onnx")
    assert str(parse_reference("models:face-mask@0003")) == "models:face-mask@3"


def test_people_may_leave_out_what_is_clear(registry: Registry, bundle: Callable[[int], Path]) -> None:
    registry.set_alias("face-mask", "champion", 2, why="start")
    assert [
        registry.find(text).number for text in ("3", "champion", "face-mask@1", "models:face-mask@1")
    ] == [
        3,
        2,
        1,
        1,
    ]
    registry.register("other", bundle(1))
    with pytest.raises(RegistryError, match="several models"):
        registry.find("3")


def test_a_changed_bundle_is_not_used(registry: Registry) -> None:
    with registry.version("face-mask", 2).bundle.open("ab") as stream:
        stream.write(b"\x32\x01x")
    with pytest.raises(RegistryError, match="not the file that was registered"):
        registry.resolve("models:face-mask@2").checked_bundle()


def test_a_copied_version_is_not_taken_for_another(registry: Registry) -> None:
    versions = registry.folder / "face-mask" / "versions"
    shutil.copytree(versions / "0001", versions / "0004")
    with pytest.raises(RegistryError, match="holds version 1 of face-mask"):
        registry.resolve("models:face-mask@4")


def test_no_writer_takes_a_copy_for_a_version(registry: Registry) -> None:
    events = registry.history("face-mask")
    versions = registry.folder / "face-mask" / "versions"
    copy = shutil.copytree(versions / "0001", versions / "0004")
    with pytest.raises(RegistryError, match=r"versions/0004 holds version 1 of face-mask"):
        registry.set_alias("face-mask", "champion", 2, why="start")
    assert registry.history("face-mask") == events
    shutil.rmtree(copy)
    assert registry.set_alias("face-mask", "champion", 2, why="start").after == 2


def test_a_damaged_alias_is_restored_by_the_next_change(registry: Registry) -> None:
    registry.set_alias("face-mask", "champion", 2, why="start")
    file = registry.folder / "face-mask" / "aliases" / "champion"
    file.write_text("tw")
    with pytest.raises(RegistryError, match="champion is damaged"):
        registry.resolve("models:face-mask@champion")
    registry.set_alias("face-mask", "challenger", 3, why="try")
    assert registry.aliases("face-mask") == {"challenger": 3, "champion": 2}


def test_an_event_that_was_not_written_whole_is_none(registry: Registry) -> None:
    registry.set_alias("face-mask", "champion", 1, why="start")
    events = registry.history("face-mask")
    file = registry.folder / "face-mask" / "history.jsonl"
    with file.open("a") as stream:
        stream.write('{"event":"promoted","alias":"cham')
    assert registry.history("face-mask") == events
    registry.set_alias("face-mask", "champion", 2, why="next")
    assert len(registry.history("face-mask")) == len(events) + 1
    file.write_text("no json\n" + file.read_text())
    with pytest.raises(RegistryError, match=r"history.jsonl:1 is damaged"):
        registry.history("face-mask")
