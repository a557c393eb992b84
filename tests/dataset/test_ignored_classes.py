"""data.ignore: a class that the model does not have, whose faces are neither faces nor background."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.dataset.manifest import ManifestObject, load_manifest
from maskdet.dataset.prepare import decide
from maskdet.dataset.settings import DataSettings
from maskdet.errors import DatasetError, UsageError
from maskdet.types import ANY_CLASS

WRONG = "mask_weared_incorrect"
BOX = (90, 20, 130, 90)


@pytest.fixture
def three(voc):
    """Ten pictures, one with a face of a third class as well, one with nothing else."""
    voc.fill(8)
    voc.add("both.png", ("with_mask", (10, 20, 60, 90)), (WRONG, BOX))
    voc.add("only.png", (WRONG, BOX))
    return voc


@pytest.mark.parametrize("labels", [None, ("with_mask", "without_mask")])
def test_its_faces_stay_as_difficult_ones_of_every_class(three, tmp_path: Path, labels) -> None:
    summary = three.prepare(tmp_path / "out", ignore=(WRONG,), labels=labels)
    assert (summary.pictures, dict(summary.objects)) == (10, {"with_mask": 6, "without_mask": 3})
    assert summary.findings == ()
    manifest = load_manifest(tmp_path / "out" / "manifest.json")
    assert manifest.labels == ("with_mask", "without_mask")
    by_name = {Path(each.picture).stem: each for each in manifest.pictures}
    assert by_name["only"].objects == (ManifestObject(WRONG, BOX, difficult=True),)
    truth = manifest.ground_truth(by_name["both"])
    assert truth.class_ids.tolist() == [0, ANY_CLASS]
    assert truth.difficult.tolist() == [False, True]
    assert truth.boxes[1:].tolist() == [list(BOX)]
    report = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "| of none of these classes, ignored |" in report
    assert "of these difficult" not in report


def test_aliases_lead_to_it(three) -> None:
    three.edit_xml("only", WRONG, "nose_out")
    chosen = DataSettings(
        root=three.root, ignore=(WRONG,), aliases={"nose_out": WRONG}, labels=("with_mask", "without_mask")
    )
    assert decide(chosen).manifest.labels == ("with_mask", "without_mask")


def test_a_class_that_is_not_in_the_labels_names_the_key(three) -> None:
    with pytest.raises(DatasetError) as caught:
        decide(DataSettings(root=three.root, labels=("with_mask", "without_mask")))
    assert "data.ignore leaves a class out" in caught.value.faults[0]


def test_a_typo_is_an_error_with_a_suggestion(three) -> None:
    with pytest.raises(
        UsageError, match=r"data\.ignore: no object is called 'mask_weared_incorect'"
    ) as caught:
        decide(DataSettings(root=three.root, ignore=("mask_weared_incorect",)))
    assert caught.value.hint == f"did you mean {WRONG}?"
    with pytest.raises(UsageError, match=r"data\.ignore") as caught:
        decide(DataSettings(root=three.root, ignore=("helmet",)))
    assert "the names are" in caught.value.hint


def test_a_class_is_taught_or_ignored(three) -> None:
    with pytest.raises(UsageError, match=f"data.labels and data.ignore both have {WRONG}"):
        decide(DataSettings(root=three.root, ignore=(WRONG,), labels=("with_mask", WRONG)))
