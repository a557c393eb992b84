"""YOLO sets: data.yaml in its many forms, plain folders, and lines that are no objects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from labelled_sets import draw

from maskdet.dataset.formats.convert import convert
from maskdet.dataset.formats.yolo_reader import read_yolo
from maskdet.errors import DatasetError

LINE = "1 0.5 0.5 0.25 0.5\n"
BOX = (30.0, 15.0, 50.0, 45.0)


def labelled(root: Path, picture: str, text: str | None = LINE) -> None:
    draw(root / picture)
    if text is not None:
        file = root / picture.replace("images", "labels").replace(".jpg", ".txt")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def write(root: Path, text: str, name: str = "data.yaml") -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    "text",
    [
        "train: images/train\nval: images/val\nnames: [a, b]\nnc: 2\n",
        "path: /somewhere/else\ntrain: [images/train]\nval: ./images/val\nnames: {0: a, 1: b}\n",
        "path: .\ntrain: ../images/train\nval: lists/val.txt\nnames: {1: b, 0: a}\n",
        "train: images/train\nvalid: images/val\nnames: [a, b]\n",
    ],
)
def test_forms_of_data_yaml(tmp_path: Path, text: str) -> None:
    labelled(tmp_path, "images/train/a.jpg")
    labelled(tmp_path, "images/val/a.jpg", "0 0.5 0.5 0.25 0.5\n\n")
    write(tmp_path, "./images/val/a.jpg\n\n", "lists/val.txt")
    found = read_yolo(write(tmp_path, text))
    assert found.labels == ("a", "b")
    assert [(p.part, p.name, [(item.label, item.box) for item in p.objects]) for p in found.pictures] == [
        ("train", "a.jpg", [("b", BOX)]),
        ("val", "a.jpg", [("a", BOX)]),
    ]
    assert found.findings == ()


def test_a_turn_is_noticed_since_no_line_has_a_size(tmp_path: Path) -> None:
    labelled(tmp_path, "images/a.jpg")
    labelled(tmp_path, "images/b.jpg", "")
    for name in ("a.jpg", "b.jpg"):
        draw(tmp_path / "images" / name, turn=6)
    found = read_yolo(write(tmp_path, "a\nb\n", "classes.txt"))
    assert [(each.code, each.file) for each in found.findings] == [("turn-unclear", "labels/a.txt")]


@pytest.mark.parametrize(
    ("picture", "names", "part"),
    [
        ("images/a.jpg", "classes.txt", ""),
        ("images/sub/a.jpg", "labels/classes.txt", ""),
        ("images/val/a.jpg", "classes.txt", "val"),
        ("valid/images/a.jpg", "classes.txt", "val"),
        ("a.jpg", "classes.txt", ""),
    ],
)
def test_plain_folders(tmp_path: Path, picture: str, names: str, part: str) -> None:
    labelled(tmp_path, picture)
    found = read_yolo(write(tmp_path, "a\nb\n", names))
    assert [(p.part, [item.label for item in p.objects]) for p in found.pictures] == [(part, ["b"])]


def test_a_picture_without_a_label_file_is_a_negative(tmp_path: Path) -> None:
    labelled(tmp_path, "images/a.jpg", None)
    found = read_yolo(write(tmp_path, "train: images\nnames: [a]\n"))
    assert [picture.objects for picture in found.pictures] == [()]
    assert [finding.code for finding in found.findings] == ["labels-missing"]


def test_an_outline_is_read_as_its_box(tmp_path: Path) -> None:
    labelled(tmp_path, "images/a.jpg", "0 0.375 0.25 0.625 0.5 0.5 0.75\n")
    found = read_yolo(write(tmp_path, "train: images\nnames: [a]\n"))
    assert found.pictures[0].objects[0].box == BOX
    assert [finding.code for finding in found.findings] == ["outline-boxed"]


LANDMARKS = "0.5 0.5 0.6 0.5 0.55 0.6 0.5 0.7 0.6 0.7"


@pytest.mark.parametrize(
    ("shape", "landmarks"), [("[5, 2]", LANDMARKS), ("[2, 3]", "-1 -1 0 0.9 0.9 2"), ("", "")]
)
def test_landmarks_are_no_part_of_the_box(tmp_path: Path, shape: str, landmarks: str) -> None:
    labelled(tmp_path, "images/a.jpg", f"0 0.5 0.5 0.25 0.5 {landmarks}\n")
    found = read_yolo(write(tmp_path, f"train: images\nnames: [a]\nkpt_shape: {shape}\n"))
    assert [item.box for item in found.pictures[0].objects] == [BOX]
    assert found.findings == ()


@pytest.mark.parametrize(
    ("shape", "line", "said"),
    [
        ("[5, 2]", "0 0.5 0.5 0.25 0.5", "has 5 values, and 15 by kpt_shape"),
        ("[2, 2]", "0 0.375 0.25 0.625 0.5 0.5 0.75", "has 7 values, and 9 by kpt_shape"),
        ("[1, 2]", "0 0.5 0.5 nan 0.5 0.5 0.5", "is not `id cx cy w h`"),
        ("", f"0 0.5 0.5 0.25 0.5 -1 -1 {LANDMARKS[8:]}", "if it has landmarks, add kpt_shape"),
    ],
)
def test_lines_that_do_not_fit_their_landmarks(tmp_path: Path, shape: str, line: str, said: str) -> None:
    labelled(tmp_path, "images/a.jpg", f"{line}\n")
    found = read_yolo(write(tmp_path, f"train: images\nnames: [a]\nkpt_shape: {shape}\n"))
    assert [(finding.code, said in finding.message) for finding in found.findings] == [
        ("object-invalid", True)
    ]


def test_boxes_are_those_of_the_upright_picture(tmp_path: Path) -> None:
    draw(tmp_path / "images" / "a.jpg", 80, 60, turn=8)
    write(tmp_path, "0 0.5 0.5 1 1\n", "labels/a.txt")
    found = read_yolo(write(tmp_path, "train: images\nnames: [a]\n"))
    assert (found.pictures[0].size, found.pictures[0].objects[0].box) == ((80, 60), (0, 0, 60, 80))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("0 0.5 0.5 0.5", "object-invalid"),
        ("0 0.5 0.5 0.5 0.5 0.9", "object-invalid"),
        ("0 0.5 nan 0.5 0.5", "object-invalid"),
        ("0 40 30 20 20", "object-invalid"),
        ("0 0.5 0.5 1e999 0.5", "object-invalid"),
        ("0.0 0.5 0.5 0.5 0.5", "object-invalid"),
        ("-1 0.5 0.5 0.5 0.5", "object-invalid"),
        ("٠ 0.5 0.5 0.5 0.5", "object-invalid"),
        ("with_mask 0.5 0.5 0.5 0.5", "object-invalid"),
        ("9 0.5 0.5 0.5 0.5", "class-unknown"),
        ("0 0.5 0.5 0 0.5", "box-empty"),
        ("0 0.5 0.5 -0.5 0.5", "box-inverted"),
        ("0 0.9 0.5 0.5 0.5", "box-outside"),
    ],
)
def test_bad_lines_are_named_with_their_number(tmp_path: Path, line: str, code: str) -> None:
    root = write(tmp_path / "set", "train: images\nnames: [a, b]\n")
    labelled(root, "images/a.jpg", f"{LINE}\n{line}\n")
    with pytest.raises(DatasetError) as caught:
        convert(root, tmp_path / "out", "voc")
    assert len(caught.value.faults) == 1
    assert caught.value.faults[0].startswith("error: labels/a.txt:3: ")
    assert f"[{code}]" in caught.value.faults[0]
    done = convert(root, tmp_path / "out", "voc", skip_bad=True)
    # A box with half of it in the picture is cut, not dropped.
    assert (done.objects, len(done.dropped)) == ({"a": int(code == "box-outside"), "b": 1}, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("names: [a\n  b: c", "data.yaml:2: not YAML"),
        ("names: []\ntrain: images\n", "names is not a list of class names"),
        ("names: [a, a]\ntrain: images\n", "names has a twice"),
        ("names: {x: a}\ntrain: images\n", "names has 'x': 'a'"),
        ("names: &a [*a]\ntrain: images\n", "names has 0: [[...]]"),
        ("names: [no, yes]\ntrain: images\n", "names has 0: False"),
        ("names: [a]\n", "holds no pictures"),
        ("names: [a, b]\nnc: 3\ntrain: images\n", "data.yaml: nc is 3, and names has 2: a, b"),
        ("names: [a]\nkpt_shape: [5]\n", "kpt_shape is [5]"),
        ("names: [a]\nkpt_shape: [0, 2]\n", "kpt_shape is [0, 2]"),
        ("names: [a]\nkpt_shape: 5 x 2\n", "kpt_shape is '5 x 2'"),
        ("names: !!python/object/apply:os.system [ls]\n", "not YAML"),
    ],
)
def test_bad_descriptions(tmp_path: Path, text: str, said: str) -> None:
    labelled(tmp_path, "images/a.jpg")
    with pytest.raises(DatasetError) as caught:
        read_yolo(write(tmp_path, text))
    assert said in caught.value.what


@pytest.mark.parametrize("place", ["../other/images", "/etc", "x" * 300, "../../x", "C:\\images"])
def test_no_path_leads_out_of_the_set(tmp_path: Path, place: str) -> None:
    labelled(tmp_path / "set", "images/a.jpg")
    labelled(tmp_path / "other", "images/b.jpg")
    text = f"train: images\nval: '{place}'\nnames: [a, b]\n"
    found = read_yolo(write(tmp_path / "set", text))
    assert [picture.name for picture in found.pictures] == ["a.jpg"]
    assert [(finding.code, place[:99] in finding.message) for finding in found.findings] == [
        ("part-missing" if place == "../other/images" else "path-outside", True)
    ]


def test_a_missing_test_folder_is_a_note_and_any_other_an_error(tmp_path: Path) -> None:
    labelled(tmp_path / "set", "images/a.jpg")
    root = write(tmp_path / "set", "train: images\ntest: ../test/images\nnames: [a, b]\n", "dataset.yaml")
    (note,) = convert(root, tmp_path / "out", "voc").findings
    assert str(note) == "dataset.yaml: test: ../test/images does not exist [test-missing]"
    write(root, "train: images\nval: ../valid/images\nnames: [a, b]\n", "dataset.yaml")
    with pytest.raises(DatasetError) as caught:
        convert(root, tmp_path / "out2", "voc")
    assert caught.value.faults[0].startswith("error: dataset.yaml: val: ../valid/images does not exist")


def test_class_ids_without_names_are_a_question(tmp_path: Path) -> None:
    labelled(tmp_path, "images/a.jpg")
    with pytest.raises(DatasetError, match="does not say what its class ids mean") as caught:
        read_yolo(tmp_path)
    assert "classes.txt" in caught.value.hint


def test_a_picture_in_two_parts_is_said(tmp_path: Path) -> None:
    labelled(tmp_path, "images/a.jpg")
    found = read_yolo(write(tmp_path, "train: images\nval: images\nnames: [a, b]\n"))
    (same,) = found.findings
    assert same.message == "train and val are both images: these pictures are train only"
    assert found.parts == ("",)
    write(tmp_path, "images/a.jpg\n", "some.txt")
    found = read_yolo(write(tmp_path, "train: images\nval: some.txt\nnames: [a, b]\n"))
    assert [finding.code for finding in found.findings] == ["part-repeated"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"labels/a.txt": [2]}, "labels/a.txt has no object in line 2"),
        ({"labels/b.txt": [1]}, "labels/b.txt has no object in line 1"),
        ([1], "is not an object of label files"),
        ({"labels/a.txt": "x"}, "is not an object of label files"),
        ({"labels/a.txt": [float("inf")]}, "is not an object of label files"),
    ],
)
def test_a_side_file_that_does_not_fit(tmp_path: Path, value: object, said: str) -> None:
    root = write(tmp_path / "set", "train: images\nnames: [a, b]\n")
    labelled(root, "images/a.jpg")
    write(root, json.dumps(value), "difficult.json")
    with pytest.raises(DatasetError) as caught:
        convert(root, tmp_path / "out", "voc", skip_bad=True)
    assert said in "\n".join([caught.value.what, *caught.value.faults])
