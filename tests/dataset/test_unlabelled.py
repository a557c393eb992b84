"""data.unlabelled: faces that a model is sure of are not learnt as background, and val stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from maskdet.dataset.manifest import Manifest, ManifestObject, ManifestPicture
from maskdet.dataset.prepare import decide
from maskdet.dataset.settings import DataSettings
from maskdet.dataset.unlabelled import Unlabelled, UnlabelledFace, read_unlabelled
from maskdet.errors import DatasetError

BOX = (100.0, 20.0, 130.0, 60.0)


@pytest.fixture
def settings(make_voc, tmp_path: Path) -> DataSettings:
    voc = make_voc("set")
    voc.fill(15)
    return DataSettings(root=voc.root, unlabelled=tmp_path / "set.unlabelled.json")


def labelled(settings: DataSettings) -> Manifest:
    return decide(settings.model_copy(update={"unlabelled": None})).manifest


def face(picture: ManifestPicture, label: str = "without_mask") -> UnlabelledFace:
    return UnlabelledFace(picture.root, picture.picture, picture.sha256, label, BOX, 0.9)


def test_train_gets_them_as_difficult_faces(settings: DataSettings) -> None:
    before = labelled(settings)
    first = before.part("train")[0]
    Unlabelled((face(first),)).write(settings.unlabelled)
    decided = decide(settings)
    after = {one.picture: one.objects for one in decided.manifest.pictures}
    more = ManifestObject("without_mask", BOX, difficult=True)
    assert after.pop(first.picture) == (*first.objects, more)
    assert after == {one.picture: one.objects for one in before.pictures if one is not first}
    assert decided.unlabelled == 1


def test_a_face_that_a_person_has_labelled_since_is_left_out(settings: DataSettings) -> None:
    first = labelled(settings).part("train")[0]
    x1, y1, x2, y2 = first.objects[0].box
    again = replace(face(first), box=(x1 + 1, y1 + 1, x2 + 1, y2 + 1))
    beside = replace(face(first), box=(x1, y1, x2, y1 + (y2 - y1) / 2))
    Unlabelled((again, beside)).write(settings.unlabelled)
    decided = decide(settings)
    found = next(one for one in decided.manifest.pictures if one.picture == first.picture)
    assert [item.box for item in found.objects if item.difficult] == [beside.box]
    assert decided.unlabelled == 1


def test_a_picture_is_known_by_its_bytes_whatever_its_name(settings: DataSettings) -> None:
    first = labelled(settings).part("train")[0]
    Unlabelled((replace(face(first), root="former", picture="former.png"),)).write(settings.unlabelled)
    found = [one for one in decide(settings).manifest.pictures if any(item.difficult for item in one.objects)]
    assert [one.picture for one in found] == [first.picture]


def test_val_and_other_pictures_have_none(settings: DataSettings) -> None:
    before = labelled(settings)
    gone = UnlabelledFace("set", "JPEGImages/gone.png", "0" * 64, "with_mask", BOX, 0.9)
    Unlabelled((face(before.part("val")[0]), gone)).write(settings.unlabelled)
    decided = decide(settings)
    assert decided.manifest == before
    assert decided.unlabelled == 0


def test_the_file_grows_and_repeats_nothing(settings: DataSettings) -> None:
    one, two = (face(picture) for picture in labelled(settings).part("train")[:2])
    Unlabelled((one,)).joined_by([two, one]).write(settings.unlabelled)
    assert read_unlabelled(settings.unlabelled).faces == (one, two)
    assert settings.unlabelled.read_text().count("\n") == 7


def test_a_class_that_the_data_lacks_is_named(settings: DataSettings) -> None:
    Unlabelled((face(labelled(settings).part("train")[0], "helmet"),)).write(settings.unlabelled)
    with pytest.raises(DatasetError, match=r"JPEGImages/p\d+\.png has a face of the class helmet"):
        decide(settings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"about": "", "faces": [{"root": "set"}]}', "faces.0.picture: Field required"),
        ('{"about": "", "faces": [], "more": 1}', "more: Extra inputs"),
    ],
)
def test_a_damaged_file_is_told(settings: DataSettings, text: str, words: str) -> None:
    settings.unlabelled.write_text(text)
    with pytest.raises(DatasetError, match=r"set\.unlabelled\.json") as told:
        decide(settings)
    assert words in str(told.value)


def test_a_box_needs_numbers(settings: DataSettings) -> None:
    Unlabelled((face(labelled(settings).pictures[0]),)).write(settings.unlabelled)
    document = json.loads(settings.unlabelled.read_text())
    document["faces"][0]["box"][2] = float("inf")
    settings.unlabelled.write_text(json.dumps(document))
    with pytest.raises(DatasetError, match=r"faces\.0\.box\.2"):
        decide(settings)


def test_a_missing_file_is_told_with_the_command_that_writes_it(settings: DataSettings) -> None:
    with pytest.raises(DatasetError, match="cannot be read") as told:
        decide(settings)
    assert "maskdet data audit --unlabelled" in str(told.value.hint)
