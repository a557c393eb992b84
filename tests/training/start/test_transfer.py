"""What is taken over from a checkpoint: by arrays here, and by the scores of real networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from trained import REPO, DrawnSet, make_job, run_script

from maskdet.errors import PipelineFileError, TrainingError
from maskdet.training.start.coco import COCO_LABELS
from maskdet.training.start.transfer import transfer
from maskdet.training.start.weights import Weights, fit

SCORES = Path(__file__).with_name("start_scores.py")
COCO = sorted((REPO.parent / "shared" / "weights").glob("*.pdparams"))
THREE = ["with_mask", "without_mask", "mask_weared_incorrect"]
CASES: list[tuple[list[str], list[str], dict[str, str | None]]] = [
    (THREE, THREE, {}),
    (THREE, ["face", "face_mask"], {}),
    (["face_mask", "face"], ["MASK", "NO MASK", "visor"], {}),
    (THREE, ["helmet", "with_mask"], {"helmet": "without_mask", "with_mask": None}),
]
TAKEN: list[dict[str, str]] = [
    {label: label for label in THREE},
    {"face": "without_mask", "face_mask": "with_mask"},
    {"MASK": "face_mask", "NO MASK": "face"},
    {"helmet": "without_mask"},
]


@pytest.mark.parametrize("variant", ["picodet_s_320_esnet", "picodet_xs_320"])
def test_the_scores_of_classes_that_are_taken_over_do_not_change(
    drawn: DrawnSet, tmp_path: Path, variant: str
) -> None:
    job = make_job(tmp_path / "job", drawn, variant=variant)
    found = run_script(SCORES, job.config, json.dumps(CASES), tmp_path)
    for result, taken, (_, labels, _) in zip(found, TAKEN, CASES, strict=True):
        assert result["boxes_differ"] < 1e-4
        for label in labels:
            now = np.array(result["new_scores"][label])
            before = np.array([result["scores"].get(taken.get(label, ""), np.zeros_like(now))])[0]
            assert np.allclose(now, before, rtol=1e-4, atol=1e-7) == (label in taken)
        assert bool(result["fresh"]) == (len(taken) < len(labels))
        assert all(name.startswith("head.head_cls") for name in result["fresh"])
    assert found[0]["line"] == f"starting from known: all weights with the classes {', '.join(THREE)}"
    assert found[1]["line"].endswith("the classes face as without_mask, face_mask as with_mask")
    assert found[2]["line"].endswith("MASK as face_mask, NO MASK as face, new visor")


def head(classes: int, *, shared: bool = True, width: int = 8) -> Weights:
    """A small network's arrays, each row of a class layer filled with its own number."""
    rows = np.arange(classes + (32 if shared else 0), dtype=np.float32)
    layers = {
        "backbone._conv1._conv.weight": np.ones((width, 3, 3, 3), np.float32),
        "neck.conv.weight": np.ones((4, 4, 1, 1), np.float32),
        "head.head_cls0.weight": rows[:, None, None, None] + np.zeros((1, 4, 1, 1), np.float32),
        "head.head_cls0.bias": rows,
    }
    if shared:
        return layers
    twice = {"head.head_cls_list.0.bias": rows, "head.head_reg0.weight": np.ones((32, 4, 1, 1), np.float32)}
    return {**layers, **twice}


def fresh(classes: int, *, shared: bool = True, width: int = 8) -> Weights:
    return {name: value * 0 - 1 for name, value in head(classes, shared=shared, width=width).items()}


def start(tmp_path: Path, weights: Weights, labels: list[str] | None = None, **more: Any) -> dict[str, Any]:
    path = tmp_path / "some.safetensors"
    save_file(weights, str(path))
    return {"name": "some", "path": str(path), "labels": labels or [], "class_map": {}, **more}


def test_a_shared_head_keeps_its_box_rows(tmp_path: Path) -> None:
    found = transfer(fresh(2), ["face_mask", "cap"], start(tmp_path, head(3), THREE))
    assert found.arrays["head.head_cls0.bias"].tolist() == [0, -1, *range(3, 35)]
    assert found.fresh == ["head.head_cls0.weight", "head.head_cls0.bias"]


def test_a_head_with_its_own_box_layer_has_class_rows_only(tmp_path: Path) -> None:
    own, weights = fresh(2, shared=False), head(3, shared=False)
    found = transfer(own, ["without_mask", "with_mask"], start(tmp_path, weights, THREE))
    assert found.arrays["head.head_cls0.bias"].tolist() == [1, 0]
    assert found.arrays["head.head_cls_list.0.bias"].tolist() == [1, 0]
    assert found.fresh == []


def test_a_head_of_an_older_ppdet_holds_its_layers_once(tmp_path: Path) -> None:
    weights = head(3, shared=False)
    del weights["head.head_cls_list.0.bias"]
    found = transfer(fresh(3, shared=False), THREE, start(tmp_path, weights, THREE))
    assert found.arrays["head.head_cls_list.0.bias"].tolist() == [0, 1, 2]
    assert found.fresh == []


@pytest.mark.parametrize("shape", [(), (5,), (5, 4, 1, 1), (35, 9, 1, 1), (35, 4)])
def test_a_head_of_a_strange_shape_stays_fresh(shape: tuple[int, ...]) -> None:
    weights = head(3) | {"head.head_cls0.weight": np.zeros(shape, np.float32)}
    own = fresh(3)
    assert fit(weights, own, [0, 1, 2])[1] == ["head.head_cls0.weight"]


def test_what_was_given_is_not_changed(tmp_path: Path) -> None:
    own = fresh(2)
    transfer(own, ["face_mask", "cap"], start(tmp_path, head(3), THREE))
    assert (own["head.head_cls0.bias"] == -1).all()


def test_coco_is_known_by_its_80_classes_and_no_person_becomes_a_face(tmp_path: Path) -> None:
    found = transfer(fresh(2), ["face", "with_mask"], start(tmp_path, head(80)))
    assert found.line == "starting from some: all but the classes, which are new"
    assert (found.arrays["head.head_cls0.bias"][:2] == -1).all()
    assert found.arrays["head.head_cls0.bias"][2:].tolist() == list(range(80, 112))
    chosen = start(tmp_path, head(80), class_map={"face": "person"})
    assert transfer(fresh(2), ["face", "with_mask"], chosen).arrays["head.head_cls0.bias"][0] == 0
    assert len(COCO_LABELS) == len(set(COCO_LABELS)) == 80
    assert (COCO_LABELS[0], COCO_LABELS[79]) == ("person", "toothbrush")


def test_unnamed_classes_are_taken_by_their_place_and_it_is_said(tmp_path: Path) -> None:
    found = transfer(fresh(3), THREE, start(tmp_path, head(3)))
    assert found.fresh == []
    assert "which does not name them" in found.line


def test_labels_that_cannot_be_the_heads_are_refused(tmp_path: Path) -> None:
    begin = start(tmp_path, head(3), ["with_mask", "cap"])
    with pytest.raises(TrainingError, match=r"some\.safetensors names 2 classes .* the head .* has 3"):
        transfer(fresh(2), ["with_mask", "cap"], begin)


def test_a_backbone_alone_is_enough(tmp_path: Path) -> None:
    weights = {
        "_conv1._conv.weight": np.ones((8, 3, 3, 3), np.float32),
        "fc.weight": np.ones((9, 9), np.float32),
    }
    found = transfer(fresh(2), ["a", "b"], start(tmp_path, weights))
    assert list(found.arrays) == ["backbone._conv1._conv.weight"]
    assert found.line == "starting from some: the backbone; neck and head are new"


def test_other_layers_that_stay_fresh_are_named(tmp_path: Path) -> None:
    weights = head(3)
    del weights["neck.conv.weight"]
    found = transfer(fresh(3), THREE, start(tmp_path, weights, THREE))
    assert found.line.endswith("; 1 further layers are new (neck.conv.weight)")


@pytest.mark.parametrize(
    "weights", [head(3, width=16), {"blocks2.0.dw_conv.conv.weight": np.ones((4, 1, 3, 3))}]
)
def test_another_architecture_is_refused_by_name(tmp_path: Path, weights: Weights) -> None:
    with pytest.raises(TrainingError, match="another architecture") as caught:
        transfer(fresh(3), THREE, start(tmp_path, weights, THREE))
    assert "ESNet, 8 channels wide, PicoHead of 3 classes" in caught.value.what
    assert "LCNet, 4 channels wide, no head" in caught.value.what or "ESNet, 16 channels" in caught.value.what


@pytest.mark.parametrize(
    ("class_map", "words"),
    [
        ({"with_mask": "face_maks"}, "face_maks is not a class of the checkpoint"),
        ({"wiht_mask": "face"}, "wiht_mask is not a class of the data"),
    ],
)
def test_a_class_map_must_name_what_there_is(tmp_path: Path, class_map: dict[str, str], words: str) -> None:
    job = start(tmp_path, head(2), ["face_mask", "face"], class_map=class_map)
    with pytest.raises(PipelineFileError, match=words) as caught:
        transfer(fresh(3), THREE, job)
    assert "did you mean" in caught.value.hint


def test_a_class_map_needs_a_file_that_names_its_classes(tmp_path: Path) -> None:
    job = start(tmp_path, head(3), class_map={"with_mask": "face"})
    with pytest.raises(PipelineFileError, match="face is not a class") as caught:
        transfer(fresh(3), THREE, job)
    assert "does not name" in caught.value.hint
