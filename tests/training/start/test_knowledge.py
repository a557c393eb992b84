"""Whether a start knows all classes of the data, asked before any training."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from maskdet.artefacts import LABEL_LIST
from maskdet.detector.shipped import ships_model
from maskdet.errors import PipelineFileError, TrainingError
from maskdet.training.settings import ModelSettings
from maskdet.training.start.architecture import BOX_ROWS
from maskdet.training.start.checkpoint_meta import CheckpointMeta
from maskdet.training.start.knowledge import knows_classes

KNOWN = ("face_mask", "face")


def weights(folder: Path, labels: tuple[str, ...], *, rows: int = 2) -> Path:
    """A head for `rows` classes that names them as `labels`."""
    path = folder / "some.safetensors"
    layer = np.zeros((rows + BOX_ROWS, 4, 1, 1), np.float32)
    save_file({"head.head_cls0.weight": layer}, str(path), metadata=CheckpointMeta(labels=labels).to_header())
    return path


@pytest.mark.parametrize(
    ("labels", "class_map", "knows"),
    [
        (("face_mask", "face"), {}, True),
        (("without_mask", "with_mask"), {}, True),
        (("face",), {"face": "face"}, True),
        (("with_mask", "visor"), {}, False),
        (("with_mask", "visor"), {"visor": "face"}, True),
        (("face_mask", "face"), {"face": None}, False),
    ],
)
def test_each_class_has_to_have_one_to_start_from(
    tmp_path: Path, labels: tuple[str, ...], class_map: dict[str, str | None], knows: bool
) -> None:
    model = ModelSettings(pretrained=weights(tmp_path, KNOWN), class_map=class_map)
    assert knows_classes(model, labels) == knows


def test_a_file_without_names_knows_as_many_classes_as_it_has_rows(tmp_path: Path) -> None:
    model = ModelSettings(pretrained=weights(tmp_path, ()))
    assert knows_classes(model, ("anything", "else"))
    assert not knows_classes(model, ("anything", "else", "more"))


def test_a_label_list_of_another_length_than_the_head_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.pdparams"
    path.write_bytes(pickle.dumps({"head.head_cls0.weight": np.zeros((3 + BOX_ROWS, 4, 1, 1), np.float32)}))
    path.with_name(LABEL_LIST).write_text("with_mask\nwithout_mask\n", encoding="utf-8")
    with pytest.raises(TrainingError, match=r"label_list\.txt names 2 classes .* some\.pdparams has 3"):
        knows_classes(ModelSettings(pretrained=path), ("with_mask", "without_mask"))


def test_a_map_to_a_class_that_is_not_there_is_refused(tmp_path: Path) -> None:
    model = ModelSettings(pretrained=weights(tmp_path, KNOWN), class_map={"face": "fase"})
    with pytest.raises(PipelineFileError, match="fase is not a class of the checkpoint"):
        knows_classes(model, ("face",))


@pytest.mark.parametrize(
    ("pretrained", "labels", "knows"),
    [("coco", ("person", "cup"), True), ("coco", ("face",), False), ("imagenet", ("cup",), False)],
)
def test_published_weights_are_known_without_being_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pretrained: str, labels: tuple[str, ...], knows: bool
) -> None:
    monkeypatch.setenv("MASKDET_CACHE", str(tmp_path / "empty"))
    assert knows_classes(ModelSettings(pretrained=pretrained), labels) == knows


def test_random_weights_know_nothing() -> None:
    assert not knows_classes(ModelSettings(pretrained="none"), ("face",))


@pytest.mark.skipif(not ships_model(), reason="this build ships no model")
def test_the_shipped_model_knows_how_other_sets_name_its_classes() -> None:
    model = ModelSettings(variant="picodet_s_416_esnet", pretrained="default")
    assert knows_classes(model, ("face_mask", "face", "mask_worn_incorrectly"))
    assert not knows_classes(model, ("face_mask", "helmet"))
