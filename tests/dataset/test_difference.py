"""What changed from one manifest to another."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from maskdet.dataset.difference import compare
from maskdet.dataset.manifest import Manifest, ManifestObject, ManifestPicture, ManifestRoot
from maskdet.dataset.report.difference import MOST_NAMES, difference_text

ROOT = ManifestRoot("ours", Path("/data/ours"), aliases={"mask": "with_mask"})


def picture(name: str, part: str = "train", width: float = 20, digest: str = "", **others) -> ManifestPicture:
    face = ManifestObject("with_mask", (0.0, 0.0, float(width), 20.0))
    given = {"root": "ours", "luma": 100.0, **others}
    return ManifestPicture(name, f"{name}.xml", part, 100, 100, digest or name, (face,), **given)


def manifest(*pictures: ManifestPicture, **others) -> Manifest:
    return Manifest(("with_mask", "without_mask"), pictures, **{"roots": (ROOT,), **others})


BEFORE = manifest(picture("a"), picture("b"), picture("c", "val"), picture("d"))


def test_the_same_data_is_the_same_wherever_it_is() -> None:
    moved = replace(BEFORE, roots=(replace(ROOT, path=Path("/elsewhere")),))
    found = compare(BEFORE, moved)
    assert found.same
    assert difference_text(found) == f"The data is the same: data hash {BEFORE.data_hash}\n"


def test_each_kind_of_change() -> None:
    relabelled = replace(picture("b"), objects=(ManifestObject("without_mask", (0.0, 0.0, 60.0, 20.0)),))
    after = manifest(
        picture("a", "val"),
        relabelled,
        picture("z", digest="d"),
        picture("e", luma=200.0),
        picture("f", "val"),
    )
    found = compare(BEFORE, after)
    assert not found.same
    assert found.added == {"train": ("e",), "val": ("f",)}
    assert found.removed == {"train": (), "val": ("c",)}
    assert found.moved == {"train to val": ("a",), "val to train": ()}
    assert (found.relabelled, found.renamed) == (("b",), ("d → z",))
    assert found.after.objects == {
        "with_mask": {"train": 2, "val": 2},
        "without_mask": {"train": 1, "val": 0},
    }
    assert found.before.widths == (20, 20, 20)
    assert found.after.widths[2] > 20
    text = difference_text(found)
    assert "| without_mask in train | 0 | 1 | +1 |" in text
    assert "| val pictures | 1 | 2 | +1 |" in text
    assert "Moved from train to val: 1\n- a\n" in text
    assert json.loads(json.dumps(found.to_json()))["added"] == {"train": ["e"], "val": ["f"]}


def test_copies_of_the_same_bytes_are_counted_one_by_one() -> None:
    twice = manifest(picture("a", digest="x"), picture("b", digest="x"))
    found = compare(twice, manifest(picture("b", digest="x")))
    assert (found.removed["train"], found.renamed) == (("a",), ())
    found = compare(manifest(picture("b", digest="x")), twice)
    assert (found.added["train"], found.renamed) == (("a",), ())


def test_roots_aliases_and_roles() -> None:
    other = ManifestRoot("theirs", Path("/theirs"), aliases={"bare": "without_mask"})
    roots = (replace(ROOT, aliases={}), other)
    after = replace(
        BEFORE,
        roots=roots,
        pictures=(*BEFORE.pictures, picture("t", root="theirs")),
        roles={"with_mask": "bare"},
    )
    text = difference_text(compare(BEFORE, after))
    assert "| pictures of theirs | 0 | 1 | +1 |" in text
    assert "| alias of ours: mask | with_mask | – |  |" in text
    assert "| alias of theirs: bare | – | without_mask |  |" in text
    assert "| role: with_mask | masked | bare |  |" in text


def test_long_lists_are_counted() -> None:
    after = manifest(*BEFORE.pictures, *(picture(f"n{index:03}") for index in range(MOST_NAMES + 5)))
    text = difference_text(compare(BEFORE, after))
    assert f"Added to train: {MOST_NAMES + 5}" in text
    assert "- and 5 more" in text


def test_a_manifest_without_objects_has_no_widths() -> None:
    empty = manifest(replace(picture("a"), objects=()))
    assert "| face width, px, 50% quantile | 20 | – |  |" in difference_text(compare(BEFORE, empty))
