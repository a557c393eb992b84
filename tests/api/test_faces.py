"""What is found in a picture, as a sequence, as data, and drawn."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import supervision as sv
from media import save
from PIL import Image
from support import LABELS, cell_box, paint

import maskdet
from maskdet.prediction.records import CSV_COLUMNS


@pytest.fixture
def faces(detector: maskdet.MaskDetector, photo: Path) -> maskdet.Faces:
    return detector("photo.png")


@pytest.fixture
def nobody(detector: maskdet.MaskDetector) -> maskdet.Faces:
    return detector(paint({}, 64, 64))


def test_it_is_a_sequence_of_faces(faces: maskdet.Faces, nobody: maskdet.Faces) -> None:
    assert isinstance(faces, Sequence)
    assert len(faces) == 2
    assert faces
    assert not nobody
    first = faces[0]
    assert (first.label, first.score) == (first[0], first[1])
    assert faces[-1] == list(faces)[1]
    assert faces[:1] == [first]
    assert first in faces
    with pytest.raises(IndexError):
        faces[2]
    for label, score, box in faces:
        assert label in LABELS
        assert 0.5 <= score <= 1
        assert len(box) == 4


def test_numbers_are_plain_python(faces: maskdet.Faces) -> None:
    assert [type(value) for value in (faces[0].label, faces[0].score, *faces[0].box)] == [str, *[float] * 5]
    json.dumps(faces.to_dict())


def test_the_picture_and_the_verdict(faces: maskdet.Faces, nobody: maskdet.Faces) -> None:
    assert (faces.width, faces.height, faces.file, faces.frame) == (192, 128, "photo.png", None)
    assert faces.verdict == "violation"
    assert faces.counts == {"with_mask": 1, "without_mask": 1, "mask_weared_incorrect": 0}
    assert (nobody.verdict, nobody.file) == ("ok", None)
    assert nobody.counts == dict.fromkeys(LABELS, 0)
    assert repr(faces) == "<Faces: with_mask 1, without_mask 1; violation; photo.png, 192x128>"
    assert repr(nobody) == "<Faces: none; ok; ndarray, 64x64>"


def test_a_face_just_below_its_threshold_is_uncertain(detector: maskdet.MaskDetector) -> None:
    dim = paint({(1, 1): "without_mask"}, 128, 128) // 2
    score = detector(dim, threshold=0.05)[0].score
    assert detector(dim, threshold=min(1.0, score + 0.1)).verdict == "uncertain"
    assert detector(dim, threshold=min(1.0, score + 0.2)).verdict == "ok"


def test_as_plain_data(faces: maskdet.Faces, nobody: maskdet.Faces) -> None:
    told = faces.to_dict()
    assert list(told) == ["file", "width", "height", "detections", "verdict"]
    assert told["verdict"] == {"outcome": "violation", "counts": faces.counts}
    assert told["detections"][0] == {
        "label": faces[0].label,
        "score": round(faces[0].score, 4),
        "box": [round(edge, 2) for edge in faces[0].box],
    }
    assert "file" not in nobody.to_dict()


def test_as_a_table(faces: maskdet.Faces, nobody: maskdet.Faces) -> None:
    text = faces.to_csv("found.csv")
    assert Path("found.csv").read_text() == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["label"] for row in rows] == [face.label for face in faces]
    assert nobody.to_csv() == ",".join(CSV_COLUMNS) + "\n"


def test_as_a_data_frame(faces: maskdet.Faces, nobody: maskdet.Faces) -> None:
    table = faces.to_pandas()
    assert list(table.columns) == list(CSV_COLUMNS)
    assert list(table["label"]) == [face.label for face in faces]
    assert table["x2"].tolist() == [round(face.box[2], 2) for face in faces]
    assert table["frame"].isna().all()
    empty = nobody.to_pandas()
    assert empty.empty
    assert (empty.dtypes == table.dtypes).all()
    assert len(pd.concat([table, table])) == 4


def test_as_supervision_detections(faces: maskdet.Faces, nobody: maskdet.Faces) -> None:
    found = faces.to_supervision()
    assert isinstance(found, sv.Detections)
    assert found.xyxy.tolist() == [list(face.box) for face in faces]
    assert found.confidence is not None
    assert found.confidence.tolist() == [face.score for face in faces]
    assert found.data["class_name"].tolist() == [face.label for face in faces]
    assert found[found.confidence > 2].is_empty()
    assert nobody.to_supervision().is_empty()
    found.xyxy[:] = 0
    assert faces[0].box != (0, 0, 0, 0)


@pytest.mark.parametrize("package", ["pandas", "supervision"])
def test_a_package_that_is_missing_is_named_with_the_line_that_installs_it(
    faces: maskdet.Faces, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(maskdet.EnvironmentProblem, match=f"to_{package} needs {package}") as caught:
        getattr(faces, f"to_{package}")()
    assert caught.value.hint == f"pip install {package}"


def test_neither_package_is_imported_by_looking_at_a_picture(tiny: Path, photo: Path) -> None:
    code = (
        "import sys, maskdet\n"
        f"maskdet.load({str(tiny)!r})('photo.png').draw()\n"
        "print({'pandas', 'supervision', 'matplotlib', 'fastapi', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_drawn_boxes_lie_where_the_faces_are(faces: maskdet.Faces) -> None:
    drawn, plain = faces.draw(keep_size=True), Image.open("photo.png")
    assert (drawn.mode, drawn.size) == ("RGB", (192, 128))
    x1, y1, x2, y2 = (round(edge) for edge in cell_box(5, 5, 128, 192))
    difference = np.asarray(drawn).astype(int) - np.asarray(plain)
    assert difference[y1:y2, x1:x2].any()
    assert not difference[64:80, 0:24].any()


def test_every_source_can_be_drawn(detector: maskdet.MaskDetector, photo: Path) -> None:
    expected = np.asarray(detector(photo).draw())
    content = photo.read_bytes()
    for source in (content, io.BytesIO(content), Image.open(photo), np.asarray(Image.open(photo))):
        assert np.array_equal(np.asarray(detector(source).draw()), expected)


def test_a_file_that_is_gone_or_changed_cannot_be_drawn(faces: maskdet.Faces, here: Path) -> None:
    save(here / "photo.png", paint({}, 64, 64))
    with pytest.raises(maskdet.PictureError, match=r"photo\.png was 192x128 pixels and has changed"):
        faces.draw()
    assert faces._repr_jpeg_() is None
    (here / "photo.png").unlink()
    with pytest.raises(maskdet.PictureError, match="No such file"):
        faces.draw()


@pytest.mark.parametrize("name", ["a.jpg", "a.PNG", "new/folder/a.webp"])
def test_save_writes_the_format_of_the_ending(faces: maskdet.Faces, name: str) -> None:
    assert faces.save(name, keep_size=True) == Path(name)
    with Image.open(name) as image:
        assert image.size == (192, 128)


@pytest.mark.parametrize("name", ["a.xyz", "a", "photo.png/a.jpg"])
def test_save_says_why_it_cannot(faces: maskdet.Faces, here: Path, name: str) -> None:
    with pytest.raises(maskdet.UsageError, match=name):
        faces.save(name)
    assert [path.name for path in here.iterdir()] == ["photo.png"]


def test_to_csv_says_why_it_cannot(faces: maskdet.Faces) -> None:
    with pytest.raises(maskdet.UsageError, match=r"photo\.png/a\.csv: ") as caught:
        faces.to_csv("photo.png/a.csv")
    assert caught.value.hint == "choose a writable path"


def test_a_notebook_shows_a_small_picture(detector: maskdet.MaskDetector) -> None:
    shown = detector(paint({(1, 1): "with_mask"}, 900, 1800))._repr_jpeg_()
    assert shown is not None
    with Image.open(io.BytesIO(shown)) as image:
        assert (image.format, image.size) == ("JPEG", (800, 400))
