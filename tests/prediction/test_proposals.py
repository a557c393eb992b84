"""Detections written as annotations: what a labelling tool opens, and `convert` reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from media import save, save_video
from support import LABELS, cell_box, paint

from maskdet.dataset.formats.coco_reader import read_coco
from maskdet.dataset.formats.voc_reader import read_voc
from maskdet.dataset.formats.yolo_reader import read_yolo
from maskdet.detector.detector import Detector
from maskdet.errors import UsageError
from maskdet.prediction.predict import predict

OUT = Path("results")
FORMATS = ["voc", "yolo", "coco"]


@pytest.fixture
def photos(here: Path) -> Path:
    save(here / "photos" / "口罩 a.png", paint({(1, 2): "with_mask", (6, 6): "without_mask"}, 160, 240))
    save(here / "photos" / "none.png", paint({}, 64, 64))
    return here / "photos"


def test_every_format_holds_the_detections(detector: Detector, photos: Path) -> None:
    summary = predict(detector, ["photos"], formats=FORMATS, out=OUT)
    assert summary.written == (OUT / "voc", OUT / "yolo", OUT / "coco")
    assert summary.failures == ()
    shutil.copytree(photos, OUT / "voc" / "JPEGImages")
    shutil.copytree(photos, OUT / "yolo" / "images")
    shutil.copytree(photos, OUT / "coco" / "images")
    wanted = {
        "口罩 a.png": [("with_mask", cell_box(1, 2, 160, 240)), ("without_mask", cell_box(6, 6, 160, 240))],
        "none.png": [],
    }
    for read, folder in ((read_voc, "voc"), (read_yolo, "yolo"), (read_coco, "coco")):
        found = read(OUT / folder)
        assert {p.name: [(o.label, o.box) for o in p.objects] for p in found.pictures} == wanted
        assert [finding.code for finding in found.findings if finding.is_error] == []
    assert read_yolo(OUT / "yolo").labels == read_coco(OUT / "coco").labels == LABELS


def test_pictures_of_subfolders_have_names_of_one_level_in_voc(detector: Detector, here: Path) -> None:
    for name in ("day1/a.jpg", "day2/a.jpg", "day2/deep/a.jpg", "day2-deep/a.jpg"):
        save(here / "photos" / name, paint({(1, 1): "with_mask"}, 64, 64))
    summary = predict(detector, ["photos"], formats=["voc"], out=OUT)
    assert [Path(failure.file).name for failure in summary.failures] == ["a.jpg"]
    names = ["day1-a", "day2-a", "day2-deep-a"]
    written = sorted((OUT / "voc" / "Annotations").rglob("*"))
    assert [path.name for path in written] == [f"{name}.xml" for name in names]
    for name in names:
        save(OUT / "voc" / "JPEGImages" / f"{name}.jpg", paint({(1, 1): "with_mask"}, 64, 64))
    assert [picture.name for picture in read_voc(OUT / "voc").pictures] == [f"{name}.jpg" for name in names]


def test_scores_are_kept_where_there_is_room(detector: Detector, photos: Path) -> None:
    predict(detector, ["photos"], formats=FORMATS, out=OUT)
    assert "<score>1.0000</score>" in (OUT / "voc/Annotations/口罩 a.xml").read_text(encoding="utf-8")
    document = json.loads((OUT / "coco/instances.json").read_text(encoding="utf-8"))
    assert [entry["score"] for entry in document["annotations"]] == [1.0, 1.0]
    lines = (OUT / "yolo/labels/口罩 a.txt").read_text().splitlines()
    assert [len(line.split()) for line in lines] == [5, 5]


@pytest.mark.parametrize("form", FORMATS)
def test_labels_that_a_person_may_have_corrected_stay(detector: Detector, photos: Path, form: str) -> None:
    predict(detector, ["photos"], formats=[form], out=OUT)
    (OUT / form / "corrected").write_text("by hand")
    with pytest.raises(UsageError, match=f"{form} exists already"):
        predict(detector, ["photos"], formats=["csv", form], out=OUT)
    assert (OUT / form / "corrected").read_text() == "by hand"
    assert not (OUT / "predictions.csv").exists()


def test_what_would_be_mixed_up_is_refused(detector: Detector, here: Path) -> None:
    for name in ("a/x.jpg", "a/x.png", "b/x.jpg"):
        save(here / name, paint({(1, 1): "with_mask"}, 64, 64))
    save_video(here / "v.avi", [paint({(2, 2): "with_mask"}, 64, 64)] * 3)
    summary = predict(detector, ["a/x.jpg", "a/x.png", "b/x.jpg", "v.avi"], formats=["voc"], out=OUT)
    assert [(failure.file, failure.reason.split(":")[0]) for failure in summary.failures] == [
        ("a/x.png", "it has no proposals"),
        ("b/x.jpg", "it has no proposals"),
        ("v.avi", "a video has no proposals"),
    ]
    assert [path.name for path in (OUT / "voc/Annotations").iterdir()] == ["x.xml"]
    summary = predict(detector, ["v.avi"], formats=["yolo", "coco"], out=Path("film"))
    assert [failure.file for failure in summary.failures] == ["v.avi"]
    summary = predict(detector, ["a", "b"], formats=["yolo", "coco"], out=OUT)
    assert {failure.file for failure in summary.failures} == {"a/x.png", "b/x.jpg"}
