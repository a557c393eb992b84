"""COCO files of strangers: every entry is checked, and no path leads out of the set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from labelled_sets import draw

from maskdet.dataset.formats.coco_reader import read_coco
from maskdet.dataset.formats.convert import convert
from maskdet.errors import DatasetError


def document(**changes: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 80, "height": 60}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 90, "bbox": [1, 2, 30.5, 40], "iscrowd": 0}],
        "categories": [{"id": 90, "name": "mask"}, {"id": 3, "name": "no mask"}],
        **changes,
    }


def coco(root: Path, value: object, name: str = "annotations/instances.json") -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    draw(tmp_path / "set" / "images" / "a.jpg")
    return tmp_path / "set"


def test_ids_need_not_follow_one_another(root: Path) -> None:
    found = read_coco(coco(root, document()))
    assert found.labels == ("no mask", "mask")
    (picture,) = found.pictures
    assert [(item.label, item.box) for item in picture.objects] == [("mask", (1, 2, 31.5, 42))]


def test_a_crowd_is_a_difficult_object(root: Path) -> None:
    entry = document()["annotations"][0]
    found = read_coco(coco(root, document(annotations=[{**entry, "iscrowd": 1}])))
    assert found.pictures[0].objects[0].difficult
    assert [finding.code for finding in found.findings] == ["crowd-difficult"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../a.jpg",
            "/etc/passwd.jpg",
            "x/../../a.jpg",
            "C:\\a.jpg",
            "C:a.jpg",
            "..\\a.jpg",
            "",
            ".",
        ),
        *(f"{'x' * 300}.jpg", 5, None, ["a.jpg"]),
    ],
)
def test_no_path_leads_out_of_the_set(root: Path, tmp_path: Path, name: object) -> None:
    draw(tmp_path / "a.jpg")
    images = [{"id": 7, "file_name": name}, {"id": 8, "file_name": "a.jpg"}]
    with pytest.raises(DatasetError) as caught:
        convert(coco(root, document(images=images)), tmp_path / "out", "voc")
    assert any("images[0]: file_name" in line and "[path-outside]" in line for line in caught.value.faults)
    assert not (tmp_path / "out").exists()
    convert(root, tmp_path / "out", "voc", skip_bad=True)
    assert [path.name for path in (tmp_path / "out" / "JPEGImages").iterdir()] == ["a.jpg"]


@pytest.mark.parametrize("name", ["\x00.jpg", "a\n.jpg", "a\u2028.jpg", "\ud800.jpg"])
def test_a_name_that_no_list_can_hold_has_a_reason_of_its_own(root: Path, name: str) -> None:
    images = [{"id": 7, "file_name": name}, {"id": 8, "file_name": "a.jpg"}]
    found = read_coco(coco(root, document(images=images)))
    (finding,) = (each for each in found.findings if each.code == "name-unusable")
    assert "has control characters or line separators, or is not valid UTF-8" in finding.message


@pytest.mark.parametrize("name", ["a\u3000b.jpg", "a\u202fb.jpg", "a\u200cb.jpg"])
def test_spaces_of_any_width_are_names(root: Path, name: str) -> None:
    draw(root / name)
    images = [{"id": 7, "file_name": name}]
    assert [picture.name for picture in read_coco(coco(root, document(images=images))).pictures] == [name]


IMAGE, OBJECT = document()["images"][0], document()["annotations"][0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"annotations": [{**OBJECT, "bbox": [1, 2, 3]}]},
            "annotations[0]: bbox [1, 2, 3] is not four numbers",
        ),
        ({"annotations": [{**OBJECT, "bbox": [1, 2, 10**400, 3]}]}, "is not four numbers"),
        ({"annotations": [{**OBJECT, "bbox": [True, 2, 3, 3]}]}, "is not four numbers"),
        ({"annotations": [{**OBJECT, "bbox": "1 2 3 4"}]}, "is not four numbers"),
        (
            {"annotations": [{**OBJECT, "bbox": [1, 2, 0, 4]}]},
            "annotations[0]: object 0: box (1, 2, 1, 6) has no",
        ),
        ({"annotations": [{**OBJECT, "bbox": [1, 2, 0.0004, 4]}]}, "box (1, 2, 1, 6) has no area"),
        ({"annotations": [{**OBJECT, "bbox": [1, 2, -3, 4]}]}, "xmin is greater than xmax"),
        ({"annotations": [{**OBJECT, "bbox": [1, 2, 90, 4]}]}, "reaches beyond the picture, 80 x 60"),
        ({"annotations": [{**OBJECT, "category_id": 4}]}, "category_id 4 is not in categories"),
        ({"annotations": [{**OBJECT, "category_id": [4]}]}, "category_id [4] is not in categories"),
        ({"annotations": [{**OBJECT, "image_id": 8}]}, "annotations[0]: image_id 8 is not that of an image"),
        ({"annotations": [{**OBJECT, "image_id": "7"}]}, "image_id '7' is not that of an image"),
        ({"annotations": [{}]}, "image_id None is not that of an image"),
        ({"images": [IMAGE, IMAGE]}, "images[1]: an earlier image has the same id or file_name"),
        ({"images": [{**IMAGE, "file_name": "b.jpg"}]}, "picture b.jpg"),
        ({"images": [{**IMAGE, "file_name": "a.gif"}]}, "there is no JPEG, PNG, BMP or WebP picture a.gif"),
        ({"images": [{**IMAGE, "width": 81}]}, "says 81 x 60, the picture is 80 x 60"),
    ],
)
def test_bad_entries_are_named(root: Path, tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DatasetError) as caught:
        convert(coco(root, document(**changes)), tmp_path / "out", "yolo")
    said = said.replace("object 0: ", "")
    assert any(said in line for line in caught.value.faults), caught.value.faults
    assert all(line.startswith("error: annotations/instances.json") for line in caught.value.faults)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"images": [\n{]}', "instances.json:2: not JSON"),
        ('{"images": [NaN]}', "it holds NaN"),
        ("[" * 100_000, "cannot be read"),
        ("[]", "it holds no JSON object"),
        ({}, "images is not a list of objects"),
        (document(annotations={"1": OBJECT}), "annotations is not a list of objects"),
        (document(categories=[{"id": 1, "name": ""}]), "categories[0] has no integer id and name"),
        (document(categories=[{"id": [1], "name": "a"}]), "categories[0] has no integer id and name"),
        (document(categories=[{"id": 1, "name": "a"}] * 2), "categories[1] repeats an id or a name"),
    ],
)
def test_documents_that_are_none(root: Path, value: object, said: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_coco(coco(root, value))
    assert said in caught.value.what


def test_a_size_before_the_turn_is_refused(tmp_path: Path) -> None:
    draw(tmp_path / "set" / "a.jpg", 80, 60, turn=6)
    found = read_coco(coco(tmp_path / "set", document()))
    assert found.pictures == ()
    assert [finding.code for finding in found.findings] == ["size-unturned"]


def test_a_turn_that_sizes_do_not_tell_is_noticed(tmp_path: Path) -> None:
    draw(tmp_path / "set" / "a.jpg", 80, 60, turn=3)
    found = read_coco(coco(tmp_path / "set", document()))
    assert len(found.pictures) == 1
    assert [finding.code for finding in found.findings] == ["turn-unclear"]


@pytest.mark.parametrize(
    "names",
    [
        (
            "annotations/instances_train2017.json",
            "annotations/instances_val2017.json",
            "train2017",
            "val2017",
        ),
        ("train/_annotations.coco.json", "valid/_annotations.coco.json", "train", "valid"),
        ("annotations/train.json", "annotations/val.json", "images/train", "images/val"),
    ],
)
def test_usual_layouts_with_parts(tmp_path: Path, names: tuple[str, str, str, str]) -> None:
    for file, folder in zip(names[:2], names[2:], strict=True):
        coco(tmp_path, document(), file)
        draw(tmp_path / folder / "a.jpg")
    found = read_coco(tmp_path)
    assert [(p.part, p.file.parent) for p in found.pictures] == [
        ("train", tmp_path / names[2]),
        ("val", tmp_path / names[3]),
    ]


def test_files_whose_part_is_unclear(root: Path) -> None:
    coco(root, document())
    coco(root, document(), "annotations/instances_more.json")
    with pytest.raises(DatasetError, match=r"unclear which of .*instances_more"):
        read_coco(root)
    assert len(read_coco(root / "annotations" / "instances.json").pictures) == 1


def test_pictures_in_the_folder_of_fiftyone_are_found(tmp_path: Path) -> None:
    draw(tmp_path / "set" / "data" / "a.jpg")
    found = read_coco(coco(tmp_path / "set", document(), "labels.json"))
    assert [picture.name for picture in found.pictures] == ["a.jpg"]


def test_where_every_picture_is_missing_it_says_where_it_looked(tmp_path: Path) -> None:
    root = coco(tmp_path / "set", document(), "labels.json")
    with pytest.raises(DatasetError) as caught:
        convert(root, tmp_path / "out", "voc")
    assert any("none of its pictures was found; looked in" in line for line in caught.value.faults)


def test_a_folder_of_labelme_is_named_and_not_taken_for_coco(tmp_path: Path) -> None:
    for stem in ("x", "y"):
        draw(tmp_path / "set" / f"{stem}.jpg")
        coco(tmp_path / "set", {"shapes": [], "imagePath": f"{stem}.jpg", "imageData": None}, f"{stem}.json")
    with pytest.raises(DatasetError, match="is labelled with labelme") as caught:
        convert(tmp_path / "set", tmp_path / "out", "voc")
    assert "labelme2voc.py" in caught.value.hint
