"""`maskdet init`: a pipeline file that is valid, explained, and made for the folder."""

from __future__ import annotations

import pytest

from maskdet.errors import DatasetError, UsageError
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.file.load import load_pipeline
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.settings import Section


def relabel(project, number, label):
    path = project / "faces" / "Annotations" / f"face{number:03d}.xml"
    text = path.read_text()
    assert "<name>with_mask</name>" in text
    path.write_text(text.replace("<name>with_mask</name>", f"<name>{label}</name>"))


def test_it_writes_a_valid_file_for_the_folder(project, invoke):
    result = invoke("init", "faces", "--out", "new.yml")
    assert "8 pictures, 8 objects (with_mask 4, without_mask 4)" in result.output
    assert "next: maskdet run new.yml" in result.output
    pipeline = load_pipeline(project / "new.yml")
    assert pipeline == PipelineFile(
        name="faces",
        data={
            "root": project / "faces",
            "labels": ("with_mask", "without_mask"),
            "frozen_val": project / "new.val.json",
        },
        model={"variant": "picodet_s_416_esnet", "pretrained": "default"},
        # Half of the 6 pictures that train: an epoch has more than one step.
        train={"optimizer": "adamw", "augment": "faces", "balance": 0.5, "batch_size": 3},
        eval={"threshold": "safe"},
        registry={"root": project / "models"},
    )


def test_lists_of_the_folder_become_the_split(project, invoke):
    lists = project / "faces" / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    parts = {"train": range(5), "val": (5, 6), "test": (7,)}
    for part, numbers in parts.items():
        (lists / f"{part}.txt").write_text("".join(f"face{number:03d}\n" for number in numbers))
    shown = invoke("init", "faces", "--force").output
    assert "data.split.method: lists keeps the parts of ImageSets/Main (5 train, 2 val, 1 test)" in shown
    assert "5 train, 2 val, 1 test in neither" in invoke("prepare").output
    (lists / "val.txt").write_text("face005\n")
    (lists / "test.txt").write_text("face006\nface007\n")
    assert "5 train, 1 val, 2 test in neither" in invoke("prepare").output


def test_files_that_it_passes_over_are_counted(project, invoke):
    pictures, annotations = project / "faces" / "JPEGImages", project / "faces" / "Annotations"
    for path in (annotations / "face000.xml", next(pictures.glob("face000.*"))):
        path.rename(path.with_stem("a\x1bb"))
    (annotations / "face001.xml").write_text("<annotation>")
    shown = invoke("init", "faces", "--force").output
    assert "6 pictures, 6 objects" in shown
    assert "passed over: 2 name-unusable, 1 xml-unreadable; `maskdet prepare` says which" in shown
    with pytest.raises(DatasetError, match="2 name-unusable, 1 xml-unreadable"):
        invoke("prepare")


def test_a_folder_without_objects_has_a_reason(project, invoke):
    for path in (project / "faces" / "Annotations").iterdir():
        path.write_text("<annotation>")
    with pytest.raises(DatasetError, match="has no annotated object") as caught:
        invoke("init", "faces", "--force")
    assert caught.value.hint == "correct these errors"
    assert "error: Annotations/face000.xml:1: not well-formed XML" in caught.value.faults[0]


def test_the_file_works_at_once(project, invoke):
    invoke("init", "faces", "--force")
    assert "6 train, 2 val" in invoke("prepare").output
    assert invoke("config").exit_code == 0


def test_more_pictures_have_the_usual_batch(project, invoke):
    draw_data_set(project / "more", 40)
    invoke("init", "more", "--out", "new.yml")
    assert load_pipeline(project / "new.yml").train.batch_size == 16


def every_key(model: type[Section]) -> list[str]:
    keys = []
    for name, field in model.model_fields.items():
        keys.append(name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            keys += every_key(field.annotation)
    return keys


def test_every_key_is_there_and_explained(project, invoke):
    invoke("init", "faces", "--out", "new.yml")
    text = (project / "new.yml").read_text()
    lines = [line.strip().removeprefix("# ") for line in text.splitlines()]
    missing = [
        key for key in every_key(PipelineFile) if not any(line.startswith(f"{key}:") for line in lines)
    ]
    assert missing == []
    assert "# Stop after this many evaluations" in text
    assert max(map(len, text.splitlines())) <= 140


def test_a_rare_slip_becomes_an_alias(project, invoke):
    draw_data_set(project / "more", 20)
    (project / "faces").rename(project / "few")
    (project / "more").rename(project / "faces")
    relabel(project, 0, "with_nask")
    invoke("init", "faces", "--force")
    data = load_pipeline(project / "pipeline.yml").data
    assert data.aliases == {"with_nask": "with_mask"}
    assert data.labels == ("with_mask", "without_mask")


def test_names_that_yaml_would_misread_are_quoted(project, invoke):
    relabel(project, 0, "no")
    relabel(project, 2, "10:30")
    relabel(project, 4, "口罩")
    invoke("init", "faces", "--force")
    assert set(load_pipeline(project / "pipeline.yml").data.labels) == {
        "no",
        "10:30",
        "口罩",
        "with_mask",
        "without_mask",
    }


@pytest.mark.parametrize(
    ("folder", "name"), [("My Faces (2)", "My-Faces-2"), ("口罩", "masks"), ("..a", "a")]
)
def test_the_name_comes_from_the_folder(project, invoke, folder, name):
    (project / "faces").rename(project / folder)
    invoke("init", folder, "--force")
    pipeline = load_pipeline(project / "pipeline.yml")
    assert pipeline.name == name
    assert pipeline.data.root == project / folder


@pytest.mark.parametrize(
    ("file", "name"), [("gate.yml", "gate"), ("数据.yml", "masks"), ("pipeline.yml", "masks")]
)
def test_the_name_comes_from_the_file_where_the_folder_has_none(project, invoke, file, name):
    (project / "faces").rename(project / "口罩")
    invoke("init", "口罩", "--out", f"configs/{file}")
    assert load_pipeline(project / "configs" / file).name == name


def test_the_root_is_relative_to_the_file(project, invoke):
    invoke("init", "faces", "--out", "configs/deep/p.yml")
    assert "root: ../../faces" in (project / "configs" / "deep" / "p.yml").read_text()
    assert load_pipeline(project / "configs" / "deep" / "p.yml").data.root.resolve() == project / "faces"


def test_a_name_with_a_space_is_quoted_in_the_command(project, invoke):
    output = invoke("init", "faces", "--out", "our faces.yml").output
    assert "next: maskdet run 'our faces.yml'" in output
    assert "# `maskdet run 'our faces.yml'` runs it;" in (project / "our faces.yml").read_text()


def test_a_file_that_is_there_is_kept_unless_forced(project, invoke):
    before = (project / "pipeline.yml").read_text()
    with pytest.raises(UsageError, match="already exists"):
        invoke("init", "faces")
    assert (project / "pipeline.yml").read_text() == before
    invoke("init", "faces", "--force")
    assert (project / "pipeline.yml").read_text() != before


def test_folders_that_are_no_data_set(project, invoke):
    with pytest.raises(DatasetError, match="nowhere"):
        invoke("init", "nowhere", "--force")
    for path in (project / "faces" / "Annotations").iterdir():
        path.write_text("<annotation/>")
    with pytest.raises(DatasetError, match="no annotated object"):
        invoke("init", "faces", "--force")


def test_a_name_that_does_not_tell_is_a_question(project, invoke):
    relabel(project, 0, "visor")
    output = invoke("init", "faces", "--force").output
    question = "the name 'visor' is unclear: state whether its faces are masked, bare or worn-wrong"
    assert f"data.roles: {question}" in " ".join(output.split())
    text = (project / "pipeline.yml").read_text()
    assert "To be set here: visor." in " ".join(text.replace("#", " ").split())
    assert "notice: data.roles: the name 'visor' is unclear" in " ".join(invoke("prepare").output.split())


def test_names_that_tell_are_no_question(project, invoke):
    assert "data.roles" not in invoke("init", "faces", "--force").output
    assert "To be set here" not in (project / "pipeline.yml").read_text()
