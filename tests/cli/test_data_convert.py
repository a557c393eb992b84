"""`maskdet data convert`, and what `init` says about a set in another format."""

from __future__ import annotations

import pytest

from maskdet.errors import DatasetError, UsageError


def test_help_imports_nothing_heavy(heavy_after):
    assert not heavy_after("data", "convert", "--help")


def test_there_and_back(project, invoke):
    shown = invoke("data", "convert", "faces", "coco", "--to", "coco", "--link").output
    assert "Pascal VOC set faces: 8 pictures, 8 objects (with_mask 4, without_mask 4)" in shown
    assert "wrote coco as COCO" in shown
    invoke("data", "convert", "coco", "back", "--to", "voc", "--labels-only")
    assert len(list((project / "back" / "Annotations").iterdir())) == 8
    assert not (project / "back" / "JPEGImages").exists()


def test_options_that_contradict_each_other(project, invoke):
    with pytest.raises(UsageError, match="--link and --labels-only"):
        invoke("data", "convert", "faces", "out", "--to", "yolo", "--link", "--labels-only")
    assert "Invalid value for '--to'" in invoke("data", "convert", "faces", "out", "--to", "x").output


def test_what_was_dropped_is_listed(project, invoke):
    path = project / "faces" / "Annotations" / "face000.xml"
    path.write_text(path.read_text().replace("<name>with_mask</name>", "<name></name>"))
    with pytest.raises(DatasetError, match="1 error "):
        invoke("data", "convert", "faces", "out", "--to", "yolo")
    shown = invoke("data", "convert", "faces", "out", "--to", "yolo", "--skip-bad").output
    assert "7 pictures" in shown
    assert "dropped: Annotations/face000.xml:" in shown
    assert "[label-lost]" in shown


@pytest.mark.parametrize(
    ("pictures", "annotations", "said"),
    [
        ("images", "annotations", "with images/ and annotations/"),
        (".", ".", "with annotations beside the pictures"),
    ],
)
def test_voc_in_other_folders_is_recognised_and_turned(project, invoke, pictures, annotations, said):
    source = project / "kaggle"
    for theirs, ours in ((pictures, "JPEGImages"), (annotations, "Annotations")):
        (source / theirs).mkdir(parents=True, exist_ok=True)
        for path in (project / "faces" / ours).iterdir():
            path.rename(source / theirs / path.name)
    (source / "classes.txt").write_text("with_mask\n")
    with pytest.raises(DatasetError, match=f"kaggle is a Pascal VOC set {said}") as caught:
        invoke("init", "kaggle", "--force")
    assert "`maskdet data convert kaggle kaggle-voc --to voc`" in caught.value.hint
    assert "8 pictures" in invoke("data", "convert", "kaggle", "kaggle-voc", "--to", "voc").output
    assert "8 pictures, 8 objects" in invoke("init", "kaggle-voc", "--force").output
    with pytest.raises(UsageError, match="kaggle-voc is a Pascal VOC set already"):
        invoke("data", "convert", "kaggle-voc", "more", "--to", "voc")


def test_init_names_the_command_that_turns_a_folder_for_each_part(project, invoke):
    for part, number in {"train": 1, "valid": 0}.items():
        (project / "export" / part).mkdir(parents=True)
        for path in [path for path in (project / "faces").glob("*/*") if int(path.stem[-1]) % 2 == number]:
            path.rename(project / "export" / part / path.name)
    with pytest.raises(
        DatasetError, match="annotations beside the pictures in train/, valid/; maskdet"
    ) as caught:
        invoke("init", "export", "--force")
    assert "`maskdet data convert export export-voc --to voc`" in caught.value.hint
    assert "train 4, val 4" in invoke("data", "convert", "export", "export-voc", "--to", "voc").output
    assert "(4 train, 4 val)" in invoke("init", "export-voc", "--force").output


def test_folders_inside_the_two_folders_are_named(project, invoke):
    for folder in ("JPEGImages", "Annotations"):
        (project / "faces" / folder).rename(project / "part")
        (project / "faces" / folder).mkdir()
        (project / "part").rename(project / "faces" / folder / "train")
    for command in (["init", "faces", "--force"], ["data", "convert", "faces", "out", "--to", "coco"]):
        with pytest.raises(DatasetError) as caught:
            invoke(*command)
        assert caught.value.faults[0].startswith("error: Annotations/train: a folder inside a folder")
        assert "move its files one level up" in caught.value.faults[0]


@pytest.mark.parametrize(("form", "title"), [("coco", "COCO"), ("yolo", "YOLO")])
def test_init_names_the_command_that_turns_another_format(project, invoke, form, title):
    invoke("data", "convert", "faces", "my set", "--to", form)
    with pytest.raises(DatasetError, match=f"my set is a {title} set") as caught:
        invoke("init", "my set", "--force")
    assert "`maskdet data convert 'my set' 'my set-voc' --to voc`" in caught.value.hint
    invoke("data", "convert", "my set", "my set-voc", "--to", "voc")
    assert "8 pictures, 8 objects" in invoke("init", "my set-voc", "--force").output
