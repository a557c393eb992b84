"""Pruning removes nothing that is needed; verifying finds what was changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from maskdet.errors import RegistryError
from maskdet.registry.pruning import prune
from maskdet.registry.records import Lineage
from maskdet.registry.registry import Registry
from maskdet.registry.verification import verify_registry


def numbers(registry: Registry) -> list[int]:
    return [version.number for version in registry.versions("face-mask")]


def faults(registry: Registry) -> list[str]:
    return [fault for one in verify_registry(registry) for fault in one.faults]


def test_aliases_their_way_back_and_parents_stay(registry: Registry, bundle: Callable[[int], Path]) -> None:
    registry.register("face-mask", bundle(4), Lineage(parent="models:face-mask@1"))
    for number in (5, 6, 7):
        registry.register("face-mask", bundle(number))
    for number in (2, 3, 4):
        registry.set_alias("face-mask", "champion", number, why="so")

    planned = prune(registry, "face-mask", 1, "ann", dry_run=True)
    assert numbers(registry) == [1, 2, 3, 4, 5, 6, 7]
    done = prune(registry, "face-mask", 1, "ann", dry_run=False)

    assert planned == done
    assert [version.number for version in done.removed] == [2, 5, 6]
    assert done.kept == {
        4: "it is champion",
        3: "a rollback of champion would return to it",
        1: "it is the parent of models:face-mask@4",
    }
    assert numbers(registry) == [1, 3, 4, 7]
    assert registry.rollback("face-mask", "champion").after == 3
    assert faults(registry) == []


def test_the_parent_of_another_model_stays(registry: Registry, bundle: Callable[[int], Path]) -> None:
    registry.register("other", bundle(9), Lineage(parent="models:face-mask@1"))
    done = prune(registry, "face-mask", 1, "ann", dry_run=False)
    assert done.kept == {1: "it is the parent of models:other@1"}
    assert numbers(registry) == [1, 3]


def test_the_number_of_a_removed_version_is_not_used_again(
    registry: Registry, bundle: Callable[[int], Path]
) -> None:
    registry.set_alias("face-mask", "champion", 1, why="so")
    prune(registry, "face-mask", 1, "ann", dry_run=False)
    assert numbers(registry) == [1, 3]
    assert registry.register("face-mask", bundle(2)).number == 4
    with pytest.raises(RegistryError, match="no version 2"):
        registry.set_alias("face-mask", "champion", 2, why="so")


def test_a_rollback_passes_over_removed_versions(registry: Registry) -> None:
    for number in (3, 1, 2):
        registry.set_alias("face-mask", "champion", number, why="so")
    registry.set_alias("face-mask", "champion", 3, why="so")
    registry.rollback("face-mask", "champion")
    prune(registry, "face-mask", 1, "ann", dry_run=False)
    assert numbers(registry) == [1, 2, 3]


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (lambda folder: (folder / "versions/0002/model.onnx").write_bytes(b"x"), "not the file"),
        (lambda folder: (folder / "versions/0002/model.onnx").unlink(), "No such file"),
        (lambda folder: (folder / "versions/0002/x.txt").write_text("x"), "not part of the version"),
        (lambda folder: (folder / "versions/0002").rename(folder / "gone"), "is missing"),
        (lambda folder: (folder / "aliases/champion").write_text("7\n"), "version 7, which does not exist"),
        (lambda folder: (folder / "versions/0002/version.json").write_text("{}"), "damaged at model"),
        (
            lambda folder: shutil.copytree(folder / "versions/0002", folder / "versions/0004"),
            "versions/0004 holds version 2 of face-mask",
        ),
    ],
)
def test_verify_names_what_is_wrong(registry: Registry, harm: Callable[[Path], object], found: str) -> None:
    registry.set_alias("face-mask", "champion", 2, why="so")
    assert faults(registry) == []
    harm(registry.folder / "face-mask")
    assert found in "\n".join(faults(registry))


def test_a_record_that_was_edited_is_found(registry: Registry) -> None:
    record = registry.version("face-mask", 1).folder / "version.json"
    record.write_text(record.read_text().replace('"by": "maker"', '"by": "nobody"'))
    [fault] = faults(registry)
    assert "version.json is not the file that was registered" in fault
