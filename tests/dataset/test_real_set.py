"""prepare on the 749 real pictures of face masks."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from trained import REPO

from maskdet.dataset.learnt import data_sha256
from maskdet.dataset.manifest import load_manifest
from maskdet.dataset.prepare import decide
from maskdet.dataset.splitting.frozen import read_frozen
from maskdet.detector.bundle import load_bundle
from maskdet.detector.shipped import shipped_model
from maskdet.errors import DatasetError
from maskdet.pipeline.file.load import load_pipeline

SAME_PHOTOGRAPH = {
    (13, 737), (146, 219), (156, 545), (287, 478), (293, 466), (327, 699), (435, 554), (451, 61), (623, 795),
    (636, 801), (653, 775), (656, 690), (662, 839), (665, 704),
}  # fmt: skip
SAME_PLACE = {
    (222, 359), (222, 656), (222, 674), (359, 656), (359, 674), (407, 721), (438, 67), (623, 847), (656, 674),
    (662, 849), (839, 849),
}  # fmt: skip
SAME_PERSON = {
    (11, 431), (14, 571), (125, 660), (150, 300), (248, 68), (273, 536), (328, 37), (355, 78), (468, 491),
    (468, 608), (485, 87), (491, 608), (51, 618),
}  # fmt: skip


@pytest.fixture(scope="module")
def prepared(face_mask: Path, tmp_path_factory: pytest.TempPathFactory, prepare_folder):
    out = tmp_path_factory.mktemp("real") / "prepare"
    return prepare_folder(face_mask, out), out


def number(picture: str) -> int:
    return int(Path(picture).stem.removeprefix("maksssksksss"))


def test_it_passes_without_skip_bad(prepared) -> None:
    summary, out = prepared
    assert (summary.pictures, summary.train + summary.val, summary.dropped) == (749, 749, ())
    assert summary.objects == {"mask_weared_incorrect": 105, "with_mask": 2732, "without_mask": 526}
    assert {path.name for path in out.iterdir()} == {
        *("train.txt", "val.txt", "label_list.txt", "manifest.json", "report.md"),
        *("face_sizes.png", "objects_per_class.png", "samples.png"),
    }


def test_its_look_alikes_are_named(prepared) -> None:
    """Each pair was looked at: one photograph cropped or re-encoded, or two shots of one place or person."""
    summary, out = prepared
    pairs = {(number(pair.first), number(pair.second)) for pair in summary.duplicates}
    assert pairs == SAME_PHOTOGRAPH | SAME_PLACE | SAME_PERSON
    report = (out / "report.md").read_text(encoding="utf-8")
    for first, second in pairs:
        assert f"maksssksksss{first}.jpg" in report
        assert f"maksssksksss{second}.jpg" in report
    exact = {(number(pair.first), number(pair.second)) for pair in summary.duplicates if pair.exact}
    assert exact == {(13, 737), (146, 219), (653, 775), (656, 690)}


def test_its_stray_text_is_named_with_its_line(prepared) -> None:
    summary, out = prepared
    stray = [finding for finding in summary.notices if finding.code == "stray-text"]
    assert [(finding.file, finding.line) for finding in stray] == [("Annotations/maksssksksss0.xml", 22)]
    assert "Annotations/maksssksksss0.xml:22" in (out / "report.md").read_text(encoding="utf-8")


def test_its_split_is_even_and_keeps_look_alikes_together(prepared) -> None:
    summary, out = prepared
    manifest = load_manifest(out / "manifest.json")
    parts = {picture.picture: picture.part for picture in manifest.pictures}
    assert all(parts[pair.first] == parts[pair.second] for pair in summary.duplicates)
    assert abs(summary.val - 749 / 5) < 2
    val = Counter(item.label for picture in manifest.part("val") for item in picture.objects)
    for label, total in summary.objects.items():
        assert val[label] == pytest.approx(total / 5, rel=0.03), label


def test_the_shipped_model_was_trained_on_what_its_config_prepares(face_mask: Path, tmp_path: Path) -> None:
    """Two collections, by the lists beside the configuration, have the hash that the bundle states."""
    other = face_mask.with_name("face_mask_ilc")
    if not other.is_dir():
        pytest.skip("needs face_mask_ilc")
    roots = [{"root": str(folder), "name": folder.name} for folder in (face_mask, other)]
    pipeline = load_pipeline(REPO / "configs" / "default.yml", [f"data.roots={json.dumps(roots)}"])
    decide(pipeline.data).manifest.write(tmp_path / "manifest.json")
    assert data_sha256(tmp_path / "manifest.json") == load_bundle(shipped_model()).meta.manifest_sha256


def test_near_duplicates_of_the_frozen_val_do_not_train(face_mask: Path) -> None:
    pipeline = load_pipeline(REPO / "configs" / "face_mask.yml", [f"data.root={face_mask}"])
    before = pipeline.data.frozen_val.read_bytes()
    val = {each.sha256 for each in read_frozen(pipeline.data.frozen_val).val}
    decided = decide(pipeline.data)
    decided.freeze(pipeline.data)
    assert {each.sha256 for each in decided.manifest.part("val")} == val
    left_out = {number(f.file) for f in decided.checked.findings if f.code == "val-duplicate"}
    assert left_out == {37, 359, 431, 656, 660, 674, 690}
    assert pipeline.data.frozen_val.read_bytes() == before


def test_boxes_of_the_manifest_lie_within_their_pictures(prepared) -> None:
    for picture in load_manifest(prepared[1] / "manifest.json").pictures:
        for item in picture.objects:
            assert 0 <= item.box[0] < item.box[2] <= picture.width
            assert 0 <= item.box[1] < item.box[3] <= picture.height


def test_every_nth_is_the_tutorials_split(face_mask: Path, tmp_path: Path, prepare_folder) -> None:
    out = tmp_path / "out"
    summary = prepare_folder(face_mask, out, split={"method": "every-nth"})
    names = sorted(path.name for path in (face_mask / "JPEGImages").iterdir())[::5]
    assert (summary.val, summary.train) == (150, 599)
    wanted = [f"JPEGImages/{name} Annotations/{Path(name).stem}.xml" for name in names]
    assert (out / "val.txt").read_text().splitlines() == wanted
    assert "pairs are on both sides" in (out / "report.md").read_text(encoding="utf-8")


def write(pattern: str, new: str) -> Callable[[Path, Path], object]:
    """Put `new` in the place of the first match in the annotation."""

    def plant(picture: Path, annotation: Path) -> None:
        text, number = re.subn(pattern, new, annotation.read_text(encoding="utf-8"), count=1)
        assert number
        annotation.write_text(text, encoding="utf-8")

    return plant


def copied(picture: Path, annotation: Path) -> None:
    for path in (picture, annotation):
        path.with_stem(f"{path.stem} copy").write_bytes(path.read_bytes())


def repeat_object(picture: Path, annotation: Path) -> None:
    text = annotation.read_text(encoding="utf-8")
    start, end = text.index("<object>"), text.index("</object>") + len("</object>")
    annotation.write_text(text[:end] + text[start:end] + text[end:], encoding="utf-8")


PLANTED: list[tuple[str, Callable[[Path, Path], object]]] = [
    ("xml-unreadable", write("</annotation>", "")),
    ("xml-entities", write("<annotation>", '<!DOCTYPE a [<!ENTITY x "y">]><annotation>')),
    ("xml-not-voc", lambda picture, annotation: annotation.write_text("<html/>")),
    (
        "picture-unreadable",
        lambda picture, annotation: picture.write_bytes(picture.read_bytes()[:9000]),
    ),
    ("picture-unreadable", lambda picture, annotation: picture.write_bytes(b"")),
    ("annotation-missing", lambda picture, annotation: annotation.unlink()),
    ("picture-missing", lambda picture, annotation: picture.unlink()),
    ("size-mismatch", write("<width>", "<width>1")),
    ("box-far-outside", write("<xmax>", "<xmax>9")),
    (
        "box-inverted",
        write(r"<xmin>(\d+)(</xmin>\s*<ymin>\d+</ymin>\s*)<xmax>(\d+)", r"<xmin>\3\2<xmax>\1"),
    ),
    ("coordinate-missing", write(r"<ymin>\d+</ymin>", "")),
    ("coordinate-invalid", write("<ymax>", "<ymax>NaN")),
    ("label-misspelt", write("<name>with_mask<", "<name>with_nask<")),
    ("label-missing", write("<name>with_mask<", "<name><")),
    ("float-coordinates", write("</xmin>", ".5</xmin>")),
    ("difficult-text", write("<difficult>0<", "<difficult>Unspecified<")),
    ("stray-text", write("</bndbox>", "</bndbox>oops")),
    ("duplicate-object", repeat_object),
    ("exact-duplicate", copied),
    (
        "stem-clash",
        lambda picture, annotation: picture.with_suffix(".PNG").write_bytes(picture.read_bytes()),
    ),
    ("nested-folder", lambda picture, annotation: (picture.parent / "more").mkdir()),
    ("no-objects", lambda picture, annotation: annotation.write_text("<annotation></annotation>")),
]


def test_planted_faults_are_each_reported_with_their_file(
    face_mask_copy: Path, tmp_path: Path, prepare_folder
) -> None:
    annotations = sorted((face_mask_copy / "Annotations").iterdir())[100:]
    masked = [path for path in annotations if "<name>with_mask<" in path.read_text(encoding="utf-8")]
    planted = list(zip(PLANTED, masked, strict=False))
    for (_, plant), annotation in planted:
        plant(face_mask_copy / "JPEGImages" / f"{annotation.stem}.jpg", annotation)
    with pytest.raises(DatasetError) as caught:
        prepare_folder(face_mask_copy, tmp_path / "out")
    for (code, _), annotation in planted:
        place = "JPEGImages/more" if code == "nested-folder" else annotation.stem
        assert any(place in line and f"[{code}]" in line for line in caught.value.faults), (annotation, code)
    assert [path.name for path in tmp_path.iterdir()] == ["face_mask"]


def test_the_manifest_is_the_same_to_the_byte(
    prepared, face_mask: Path, tmp_path: Path, prepare_folder
) -> None:
    prepare_folder(face_mask, tmp_path / "again")
    for path in prepared[1].iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name
    assert json.loads((tmp_path / "again" / "manifest.json").read_text())["labels"]
