"""Models judged on data whose classes have other names, another order, or another number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import LABELS, cell_box, paint, write_tiny_bundle

from maskdet.dataset.manifest import Manifest, ManifestObject, ManifestPicture, ManifestRoot
from maskdet.detector.bundle import load_bundle
from maskdet.errors import BundleError
from maskdet.evaluation.report.report import markdown_report
from maskdet.evaluation.settings import EvalSettings
from maskdet.judging.bundles import judge_bundle
from maskdet.judging.class_match import match_classes
from maskdet.wording.lexicon import Role, label_roles

MASKED, BARE, WRONG = LABELS
CELLS = {(1, 1): MASKED, (1, 4): BARE, (4, 1): MASKED, (5, 5): BARE, (6, 2): WRONG}
SCORES = (0.3, 0.4, 0.5)


def painted(
    root: Path, named: Mapping[str, str], labels: Sequence[str], roles: Mapping[str, Role]
) -> Manifest:
    """A picture whose cells of a colour carry the name that the data gives it; others are not in it."""
    cells = {cell: colour for cell, colour in CELLS.items() if colour in named}
    pixels = paint(cells)
    Image.fromarray(pixels).save(root / "a.png")
    objects = tuple(ManifestObject(named[colour], cell_box(*cell)) for cell, colour in cells.items())
    height, width = pixels.shape[:2]
    picture = ManifestPicture("a.png", "", "val", width, height, "", objects)
    return Manifest(tuple(labels), (picture,), roles, (ManifestRoot("", root),))


@pytest.mark.parametrize(
    ("known", "names", "labels", "roles"),
    [
        (LABELS, LABELS, sorted(LABELS), {}),
        (LABELS, ("mask", "no_mask"), ["no_mask", "mask"], {}),
        (LABELS, ("戴口罩", "未戴口罩", "口罩佩戴不规范"), ["口罩佩戴不规范", "戴口罩", "未戴口罩"], {}),
        (("MASK", "NO MASK"), LABELS, LABELS, {}),
        (("maskon", "maskless", "chin_mask"), LABELS, sorted(LABELS), {}),
        (("face_mask", "face"), ("With Mask", "bare_face"), ["bare_face", "With Mask"], {}),
        (LABELS, ("cap", "hat"), ["hat", "cap"], {"cap": "masked", "hat": "bare"}),
        # The same names for other things: what the user says of the data goes by the name.
        (("cap", "hat"), ("cap", "hat"), ["hat", "cap"], {"cap": "masked"}),
    ],
)
def test_classes_are_matched_by_what_they_are(
    tmp_path: Path,
    known: Sequence[str],
    names: Sequence[str],
    labels: Sequence[str],
    roles: Mapping[str, Role],
) -> None:
    """`known` and `names` are the model's and the data's for masked, bare and worn wrong."""
    manifest = painted(tmp_path, dict(zip(LABELS, names, strict=False)), labels, roles)
    thresholds = dict(zip(known, SCORES, strict=False))
    bundle = load_bundle(write_tiny_bundle(tmp_path / "m.onnx", labels=known, thresholds=thresholds))

    judged = judge_bundle(bundle, manifest, EvalSettings())[0]

    shared = dict(zip(names, known, strict=False))
    partners = {label: shared.get(label) for label in labels}
    assert dict(judged.partners) == judged.to_json()["class_match"] == partners
    assert judged.ap50 == 1.0
    by_label = {each.label: each for each in judged.classes}
    for label, partner in partners.items():
        each = by_label.pop(label)
        assert (each.ap50, each.known) == ((1.0, True) if partner else (None, False))
        assert partner is None or each.threshold == thresholds[partner]
    # What the model has beside: under its own name, at its own threshold.
    assert {label: each.threshold for label, each in by_label.items()} == {
        name: thresholds[name] for name in known if name not in shared.values()
    }


def test_the_report_says_what_was_matched_and_what_was_not(tmp_path: Path) -> None:
    manifest = painted(
        tmp_path, dict(zip(LABELS, ("mask", "no_mask"), strict=False)), ["no_mask", "mask"], {}
    )
    other = painted(tmp_path, dict(zip(LABELS, LABELS, strict=True)), LABELS, {})
    three = load_bundle(write_tiny_bundle(tmp_path / "three.onnx"))
    two = load_bundle(write_tiny_bundle(tmp_path / "two.onnx", labels=("mask", "visor")))

    extra = markdown_report(judge_bundle(three, manifest, EvalSettings())[0])
    lacking = markdown_report(judge_bundle(two, other, EvalSettings())[0])

    assert (
        "- the model's classes have other names: no_mask is its without_mask, mask is its with_mask" in extra
    )
    assert "- the model also has mask_weared_incorrect, which no face of the data has as its label" in extra
    assert "- the model has no class for without_mask, mask_weared_incorrect: not measured, and" in lacking
    assert "- no safety figure counts visor: set the role in data.roles" in lacking


def test_an_answer_of_a_class_that_the_data_lacks_is_an_answer(tmp_path: Path) -> None:
    """A face that the model takes for worn wrong is no hit of another class, nor is it let through."""
    manifest = painted(tmp_path, {MASKED: "mask", BARE: "no_mask", WRONG: "no_mask"}, ["mask", "no_mask"], {})
    bundle = load_bundle(write_tiny_bundle(tmp_path / "m.onnx"))

    judged = judge_bundle(bundle, manifest, EvalSettings())[0]

    assert list(judged.thresholds) == ["mask", "no_mask", WRONG]
    np.testing.assert_array_equal(judged.confusion[1], [0, 2, 1, 0])
    assert judged.safety is not None
    assert (judged.safety.rates["bare_passed"].count, judged.safety.rates["bare_passed"].of) == (0, 3)


@pytest.mark.parametrize(
    ("labels", "known", "partners"),
    [
        (("With-Mask",), ("mask", "with_mask"), {"With-Mask": "with_mask"}),
        # Two of one role cannot be told from each other.
        (("n95_mask", "cloth_mask", "no_mask"), ("mask", "face"), ("no_mask", "face")),
        (("mask", "no_mask"), ("n95_mask", "cloth_mask", "bare_face"), ("no_mask", "bare_face")),
        (("mask", "n95_mask"), ("mask", "cloth_mask"), {"mask": "mask", "n95_mask": "cloth_mask"}),
    ],
)
def test_a_class_has_one_partner_or_none(
    labels: tuple[str, ...], known: tuple[str, ...], partners: dict[str, str] | tuple[str, str]
) -> None:
    expected = partners if isinstance(partners, dict) else dict([partners])
    match = match_classes(Manifest(labels, ()), known, label_roles(known))

    assert {label: name for label, name in match.meanings.partners.items() if name} == expected


def test_a_model_of_other_things_is_refused() -> None:
    with pytest.raises(BundleError, match=r"no class of the model \(cat, dog\) is one of the data \(mask\)"):
        match_classes(Manifest(("mask",), ()), ("cat", "dog"), {})


def test_roles_that_differ_are_said() -> None:
    manifest = Manifest(("visor", "mask"), (), {"visor": "bare"})

    [note] = match_classes(manifest, ("visor", "mask"), {"mask": "masked"}).notes

    assert note.startswith("visor is bare by the data and of no known role by the model")
