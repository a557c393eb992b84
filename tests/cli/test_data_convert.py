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


@pytest.mark.parametrize(("form", "title"), [("coco", "COCO"), ("yolo", "YOLO")])
def test_init_names_the_command_that_turns_another_format(project, invoke, form, title):
    invoke("data", "convert", "faces", "my set", "--to", form)
    with pytest.raises(DatasetError, match=f"my set is a {title} set") as caught:
        invoke("init", "my set", "--force")
    assert "`maskdet data convert 'my set' 'my set-voc' --to voc`" in caught.value.hint
    invoke("data", "convert", "my set", "my set-voc", "--to", "voc")
    assert "8 pictures, 8 objects" in invoke("init", "my set-voc", "--force").output
