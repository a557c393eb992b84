"""A set keeps its boxes, classes, difficult flags and negatives through COCO and YOLO."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from maskdet.dataset.formats.coco_reader import read_coco
from maskdet.dataset.formats.convert import Conversion
from maskdet.dataset.formats.voc_reader import read_voc
from maskdet.dataset.formats.yolo_reader import read_yolo

REPO = Path(__file__).resolve().parents[3]
Turn = Callable[..., Conversion]


def contents(found) -> dict[str, tuple]:
    return {picture.name: (picture.size, picture.part, picture.objects) for picture in found.pictures}


@pytest.mark.parametrize(("form", "read"), [("coco", read_coco), ("yolo", read_yolo)])
def test_nothing_is_lost_on_the_way_and_back(voc: Path, tmp_path: Path, turn: Turn, form, read) -> None:
    before = contents(read_voc(voc))
    assert before["turned.jpg"][0] == (80, 60)
    assert before["nobody.PNG"][2] == ()
    there = turn("voc", "there", form)
    assert (there.pictures, there.negatives, there.difficult) == (4, 1, 2)
    assert contents(read(tmp_path / "there")) == before
    turn("there", "back", "voc", placing="link")
    assert contents(read_voc(tmp_path / "back")) == before
    for picture in (voc / "JPEGImages").iterdir():
        assert (tmp_path / "back" / "JPEGImages" / picture.name).read_bytes() == picture.read_bytes()


def test_between_coco_and_yolo_with_parts_and_same_names(voc: Path, tmp_path: Path, turn: Turn) -> None:
    lists = voc / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("plain\n口罩 1\n", encoding="utf-8")
    (lists / "val.txt").write_text("turned\n\nnobody\n", encoding="utf-8")
    before = contents(read_voc(voc))
    turn("voc", "yolo", "yolo")
    turn("yolo", "coco", "coco")
    names = sorted(path.name for path in (tmp_path / "coco" / "annotations").iterdir())
    assert names == ["instances_train.json", "instances_val.json"]
    turn("coco", "yolo2", "yolo")
    turn("yolo2", "back", "voc")
    assert contents(read_voc(tmp_path / "back")) == before
    (tmp_path / "yolo/images/val/turned.jpg").rename(tmp_path / "yolo/images/val/plain.jpg")
    (tmp_path / "yolo/labels/val/turned.txt").rename(tmp_path / "yolo/labels/val/plain.txt")
    turn("yolo", "flat", "voc")
    assert set(contents(read_voc(tmp_path / "flat"))) == {
        *("train-plain.jpg", "val-plain.jpg", "口罩 1.png", "nobody.PNG")
    }


def test_pycocotools_reads_it(voc: Path, tmp_path: Path, turn: Turn) -> None:
    pycocotools = pytest.importorskip("pycocotools.coco", reason="comes with the training packages")
    turn("voc", "coco", "coco", placing="leave")
    with redirect_stdout(io.StringIO()):
        coco = pycocotools.COCO(tmp_path / "coco/annotations/instances.json")
    assert [one["name"] for one in coco.loadCats(coco.getCatIds())] == [
        "with_mask",
        "without_mask",
        "口罩 <&>",
    ]
    assert len(coco.getImgIds()) == 4
    plain = next(image for image in coco.imgs.values() if image["file_name"] == "plain.jpg")
    first, second = coco.loadAnns(coco.getAnnIds(imgIds=[plain["id"]]))
    assert (first["bbox"], first["area"], first["difficult"]) == ([3, 4, 27, 36], 972, 0)
    assert (second["bbox"], second["iscrowd"], second["difficult"]) == ([41, 7, 19, 26], 0, 1)
    assert not (tmp_path / "coco/images").exists()


def test_yolo_files_are_those_of_ultralytics(voc: Path, tmp_path: Path, turn: Turn) -> None:
    turn("voc", "yolo", "yolo")
    lines = (tmp_path / "yolo/labels/plain.txt").read_text().splitlines()
    assert lines[0] == "0 0.2062500000 0.3666666667 0.3375000000 0.6000000000"
    assert (tmp_path / "yolo/labels/nobody.txt").read_bytes() == b""
    assert json.loads((tmp_path / "yolo/difficult.json").read_text(encoding="utf-8")) == {
        "labels/plain.txt": [2],
        "labels/口罩 1.txt": [2],
    }
    described = yaml.safe_load((tmp_path / "yolo/data.yaml").read_text(encoding="utf-8"))
    assert described == {"train": "images", "names": {0: "with_mask", 1: "without_mask", 2: "口罩 <&>"}}


def test_a_sample_of_the_real_set(tmp_path: Path) -> None:
    """The full run is `scripts/round_trip.py`."""
    pytest.importorskip("pycocotools.coco", reason="comes with the training packages")
    module = import_module("round_trip")
    root = module.real_set("face_mask")
    if root is None:
        pytest.skip("the face-mask data set is not in shared/data")
    report = module.measure(root, tmp_path, most=60)
    assert report["coco"].pictures == report["yolo"].pictures == 60
    for form in ("coco", "yolo"):
        assert report[form].planted_difficult > 10
        assert report[form].planted_negatives == 6
        assert report[form].faults == []
        assert report[form].largest_error <= 0.001
