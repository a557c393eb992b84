"""A second shipped model: every place that takes a model's name, in a build whose catalogue has two."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from painted import painted
from PIL import Image
from support import paint, write_tiny_bundle
from trained import REPO
from typer.testing import CliRunner

import maskdet
from maskdet.cli.app import app
from maskdet.cli.session import open_serving, sources_of
from maskdet.dataset.learnt import data_sha256
from maskdet.dataset.manifest import Manifest
from maskdet.dataset.unlabelled import Unlabelled, UnlabelledFace
from maskdet.detector import shipped
from maskdet.detector.bundle import load_bundle
from maskdet.detector.catalogue import FAMILY, ShippedModel
from maskdet.errors import EnvironmentProblem, PipelineFileError, StageError, UsageError
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.file.load import load_pipeline
from maskdet.pipeline.references.models import existing_model
from maskdet.pipeline.release.gating import _pictures
from maskdet.pipeline.release.lineage import picture_records
from maskdet.pipeline.release.registration import register_bundle
from maskdet.pipeline.stages.start_input import start_input
from maskdet.registry.pictures import pictures_text, read_pictures
from maskdet.registry.registry import Registry
from maskdet.serving.engine.source import Source
from maskdet.system.files import sha256_file
from maskdet.training.settings import STARTS, ModelSettings
from maskdet.training.start.checkpoint_meta import read_meta
from maskdet.training.start.starting import start_of
from measuring import family
from ship_model import list_pictures

SECOND = ShippedModel(
    name="second",
    stem="face_mask_second",
    side=64,
    take_it="where speed matters most",
    start="default",
    licence="Apache-2.0",
    card="model-card.md",
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """photo.png in an empty current directory."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(paint({(1, 1): "with_mask", (5, 5): "without_mask"})).save("photo.png")
    return tmp_path


@pytest.fixture
def build(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a build with two models; both have the shipped weights."""
    folder, weights = tmp_path_factory.mktemp("models"), shipped.shipped_weights()
    for name in FAMILY.keys() - {"default"}:
        monkeypatch.delitem(FAMILY, name)
    monkeypatch.setitem(FAMILY, SECOND.name, SECOND)
    monkeypatch.setattr(shipped, "_FOLDER", folder)
    write_tiny_bundle(folder / FAMILY["default"].bundle)
    write_tiny_bundle(folder / SECOND.bundle, variant="tiny_second")
    for model in FAMILY.values():
        shutil.copy(weights, folder / model.weights)
    return folder


def _said(*command: str) -> str:
    result = CliRunner().invoke(app, list(command))
    if isinstance(result.exception, Exception):
        raise result.exception
    return result.output


def test_it_detects_serves_and_is_looked_into_by_its_name(here: Path, build: Path) -> None:
    second = build / SECOND.bundle
    assert maskdet.load("second").path == second
    assert maskdet.load().path == maskdet.load("default").path != second
    assert "with_mask 1, without_mask 1" in _said("predict", "photo.png", "--model", "second")
    served = sources_of(open_serving(None, [], Path("runs"), named=True), ["second", "best=default"])
    assert served == {"": Source(second), "best": Source(build / "face_mask.onnx")}
    assert "tiny_second" in _said("inspect", "second", "--json")
    (here / "pipeline.yml").write_text("name: demo\ndata: {root: .}\nserve: {models: {quick: second}}\n")
    context = open_serving(None, [], Path("runs"), named=False)
    assert sources_of(context, []) == {"quick": Source(second)}


def test_the_list_says_when_to_take_which(here: Path, build: Path) -> None:
    said = _said("models", "list")
    assert "default, 640 px, Apache-2.0: take it where accuracy matters most" in said
    assert "second, 64 px, Apache-2.0: take it where speed matters most" in said
    first, second = json.loads(_said("models", "list", "--json"))
    assert (first["model"], second["model"], second["input_side"]) == ("default", "second", 64)
    assert second["bundle"] == sha256_file(build / SECOND.bundle)
    (build / SECOND.bundle).unlink()
    assert [one["model"] for one in json.loads(_said("models", "list", "--json"))] == ["default"]
    with pytest.raises(EnvironmentProblem, match="ships no second model"):
        existing_model(Path("second"))


@pytest.mark.parametrize("command", [["predict", "photo.png", "--model"], ["inspect"], ["compare", "second"]])
def test_a_misspelt_name_is_told_what_there_is(here: Path, build: Path, command: list[str]) -> None:
    with pytest.raises(UsageError, match="secnd: no such") as caught:
        _said(*command, "secnd")
    assert caught.value.hint.startswith("did you mean second? name ")
    assert caught.value.hint.endswith("or a shipped model: default, second")


def test_a_name_like_none_of_them_gets_no_guess(here: Path, build: Path) -> None:
    with pytest.raises(maskdet.UsageError, match="resnet: no such model") as caught:
        maskdet.load("resnet")
    assert caught.value.hint.startswith("name an exported .onnx")


def test_training_starts_from_it_by_name(here: Path, build: Path) -> None:
    weights = build / SECOND.weights
    (here / "pipeline.yml").write_text(
        "name: demo\ndata: {root: .}\nmodel: {variant: picodet_s_320_esnet, pretrained: second}\n"
        "gates: {champion: second}\n"
    )
    pipeline = load_pipeline(here / "pipeline.yml")
    assert str(pipeline.gates.champion) == "second"
    start = start_of(pipeline.model)
    assert start is not None
    assert (start.name, start.path) == ("second", weights)
    assert start_input(pipeline.model, {}) == {"file model.pretrained": sha256_file(weights)}
    weights.unlink()
    with pytest.raises(EnvironmentProblem, match="ships no second model"):
        start_of(pipeline.model)


def test_a_misspelt_start_is_told_what_there_is(here: Path, build: Path) -> None:
    with pytest.raises(PipelineFileError, match="secnd does not exist") as caught:
        start_of(ModelSettings(pretrained="secnd"))
    assert caught.value.hint == (
        "did you mean second? name a weight file, or one of none, coco, imagenet, default, second"
    )


def test_eval_measures_it_and_refuses_a_misspelt_name(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.yml").write_text("name: demo\ndata: {root: faces}\ntrain: {batch_size: 2}\n")
    draw_data_set(tmp_path / "faces", 8)
    write_tiny_bundle(build / SECOND.bundle, labels=("with_mask", "without_mask"))
    with pytest.raises(UsageError, match="secnd: no such model") as caught:
        _said("eval", "--model", "secnd")
    assert "did you mean second?" in caught.value.hint
    assert "AP50" in _said("eval", "--model", "second")
    assert (tmp_path / "runs" / "demo" / "eval-face_mask_second" / "metrics.json").is_file()


def test_its_lineage_and_its_pictures_are_its_own(build: Path, tmp_path: Path) -> None:
    manifest = painted(tmp_path, 4)
    text = pictures_text(picture_records(manifest))
    (build / SECOND.pictures).write_bytes(gzip.compress(text.encode()))
    version = register_bundle(Registry(tmp_path / "registry"), build / SECOND.bundle, name="face-mask")
    lineage = version.record.lineage
    assert (lineage.source, lineage.start) == ("the shipped model second", "the shipped weights of default")
    assert version.record.files[SECOND.weights] == sha256_file(build / SECOND.weights)
    assert len(version.pictures()) == 4
    assert len(_pictures(build / SECOND.bundle) or ()) == 4
    assert _pictures(build / FAMILY["default"].bundle) is None


def test_its_pictures_are_listed_with_those_of_the_model_that_it_started_from(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = painted(tmp_path, 4)
    manifest.write(tmp_path / "manifest.json")
    before = pictures_text(picture_records(painted(tmp_path / "before", 5)))
    (build / FAMILY["default"].pictures).write_bytes(gzip.compress(before.encode()))
    write_tiny_bundle(build / SECOND.bundle, manifest_sha256=data_sha256(tmp_path / "manifest.json"))
    [listed] = list_pictures(tmp_path / "manifest.json", build, SECOND)
    known = read_pictures(listed)
    assert listed == build / SECOND.pictures
    assert {one.sha256 for one in known if not one.inherited} == {one.sha256 for one in manifest.pictures}
    assert sum(one.inherited for one in known) == 1


def test_they_are_measured_side_by_side(build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = _as_jpegs(painted(tmp_path / "val", 10))
    for model in FAMILY.values():
        (build / model.pictures).write_bytes(gzip.compress(pictures_text(()).encode()))
    place, page = tmp_path / "runs" / "demo" / "prepare" / "manifest.json", tmp_path / "page.md"
    place.parent.mkdir(parents=True)
    manifest.write(place)
    begin, end = family.BEGIN, family.END
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    command = ["family.py", "--manifest", str(place), "--rounds", "1", "--pictures", "2"]
    monkeypatch.setattr("sys.argv", [*command, "--document", str(page)])

    family.main()

    said = page.read_text()
    assert (said.startswith(f"before\n{begin}\n"), said.endswith(f"\n{end}\nafter\n")) == (True, True)
    assert "old" not in said
    rows = {cells[0]: cells[1:] for line in said.splitlines() if (cells := line.strip("| ").split(" | "))[1:]}
    assert rows["network"] == ["tiny_grid", "tiny_second"]
    assert rows["AP50, demo"] == ["1.000", "1.000"]
    assert rows["false alarms, demo"] == ["0.0% (0 of 10)"] * 2
    assert all(float(cell) > 0 for cell in rows["processor s per 1000 JPEGs"])
    trained = replace(manifest, pictures=tuple(replace(one, part="train") for one in manifest.pictures))
    text = pictures_text(picture_records(trained))
    (build / SECOND.pictures).write_bytes(gzip.compress(text.encode()))
    with pytest.raises(StageError, match="was trained on 10 pictures of val"):
        family.main()


def test_faces_that_the_labels_leave_out_are_ignored_in_rows_of_their_own(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = painted(tmp_path / "val", 10)
    left_out, *others = whole.pictures
    (face,) = left_out.objects
    manifest = replace(whole, pictures=(replace(left_out, objects=()), *others))
    noted = UnlabelledFace("", left_out.picture, left_out.sha256, face.label, face.box, 0.9)
    (build / FAMILY["second"].pictures).write_bytes(gzip.compress(pictures_text(()).encode()))

    column = family.accuracy(
        "second", load_bundle(shipped.shipped_model("second")), manifest, "demo", Unlabelled((noted,))
    )

    assert column["false alarms, demo"] == "11.1% (1 of 9)"
    assert column["false alarms, demo, reviewed"] == "0.0% (0 of 9)"
    assert float(column["AP50, demo, reviewed"]) == 1 > float(column["AP50, demo"])


def _as_jpegs(manifest: Manifest) -> Manifest:
    """The same pictures in JPEG files beside them."""
    found = []
    for item in manifest.pictures:
        path = manifest.path(item).with_suffix(".jpg")
        Image.open(manifest.path(item)).save(path, quality=95)
        found.append(replace(item, picture=path.name, sha256=sha256_file(path)))
    return replace(manifest, pictures=tuple(found))


def test_the_catalogue_agrees_with_the_files() -> None:
    """Of this build: adding a model is its files, one entry and its card."""
    folder = REPO / "maskdet" / "models"
    assert {path.name for path in folder.glob("*.onnx")} == {model.bundle for model in FAMILY.values()}
    assert not {*STARTS, "second"} & set(FAMILY)
    for name, model in FAMILY.items():
        meta = load_bundle(shipped.shipped_model(name)).meta
        assert (meta.input_size, meta.licence) == ((model.side, model.side), model.licence)
        assert read_meta(shipped.shipped_weights(name)).bundle_sha256 == sha256_file(
            shipped.shipped_model(name)
        )
        assert shipped.shipped_pictures(name) is not None
        assert (REPO / "docs" / model.card).is_file()
        assert model.start in FAMILY or " " in model.start
