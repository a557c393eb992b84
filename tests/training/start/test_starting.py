"""Which file a training starts from: shipped, published, one's own, or none."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from safetensors.numpy import save_file
from training.start.weights_server import CONTENT, Behaviour, serving

from maskdet.artefacts import LABEL_LIST
from maskdet.dataset.label_list import write_labels
from maskdet.detector import shipped
from maskdet.detector.catalogue import FAMILY
from maskdet.errors import EnvironmentProblem, PipelineFileError, StageError, TrainingError
from maskdet.training.settings import ModelSettings, Variant
from maskdet.training.start.checkpoint_meta import CheckpointMeta, read_meta
from maskdet.training.start.published import cache_folder, cached_file, published_url
from maskdet.training.start.starting import fetch_start, start_of
from maskdet.training.start.weights import read_weights

LABELS = ("with_mask", "without_mask")
META = CheckpointMeta(name="demo", variant="picodet_s_416_esnet", labels=LABELS)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKDET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("MASKDET_WEIGHTS_URL", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build of maskdet that ships weights."""
    path = tmp_path / FAMILY["default"].weights
    save_file({"backbone.x": np.ones(2, np.float32)}, str(path), metadata=META.to_header())
    monkeypatch.setattr(shipped, "_FOLDER", tmp_path)
    return path


def of(pretrained: str | Path, variant: Variant = "picodet_s_416_esnet", **more: object) -> ModelSettings:
    return ModelSettings(variant=variant, pretrained=pretrained, **more)


def test_none_starts_from_nothing() -> None:
    assert start_of(of("none")) is None


@pytest.mark.parametrize("variant", ["picodet_s_416_esnet", "picodet_s_320_esnet", "picodet_s_640_esnet"])
def test_default_fits_every_input_side(build: Path, variant: Variant) -> None:
    start = start_of(of("default", variant))
    assert start is not None
    assert (start.name, start.path, start.labels) == ("default", build, LABELS)


@pytest.mark.parametrize("variant", ["picodet_s_416", "picodet_xs_320", "picodet_l_640"])
def test_default_is_refused_by_another_backbone(build: Path, variant: Variant) -> None:
    with pytest.raises(PipelineFileError, match="another architecture") as caught:
        start_of(of("default", variant))
    assert "picodet_s_416_esnet (ESNet 0.75)" in caught.value.what
    assert f"{variant} (LCNet" in caught.value.what


def test_a_build_without_a_model_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "_FOLDER", tmp_path / "none")
    with pytest.raises(EnvironmentProblem, match="this build of maskdet ships no default model") as caught:
        start_of(of("default"))
    assert "coco" in caught.value.hint


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(PipelineFileError, match="does not exist") as caught:
        start_of(of(tmp_path / "cocco"))
    assert "did you mean coco?" in caught.value.hint


def test_labels_beside_a_checkpoint_are_read(tmp_path: Path) -> None:
    (tmp_path / "best.pdparams").write_bytes(b"")
    before = start_of(of(tmp_path / "best.pdparams"))
    write_labels(tmp_path, ("戴口罩", "without mask"))
    start = start_of(of(tmp_path / "best.pdparams", class_map={"face": None}))
    assert before is not None
    assert start is not None
    assert start.labels == ("戴口罩", "without mask")
    assert start.to_job()["class_map"] == {"face": None}
    assert start.fingerprint() != before.fingerprint()


def test_labels_in_another_encoding_are_refused_by_file(tmp_path: Path) -> None:
    (tmp_path / "best.pdparams").write_bytes(b"")
    write_labels(tmp_path, ("face",))
    labels = tmp_path / LABEL_LIST
    labels.write_bytes("戴口罩\n".encode("gb18030"))
    with pytest.raises(TrainingError, match=re.escape(f"{labels} is not UTF-8 text")):
        start_of(of(tmp_path / "best.pdparams"))


def test_what_a_safetensors_file_says_of_itself(build: Path) -> None:
    assert read_meta(build) == META
    assert read_weights(build)["backbone.x"].tolist() == [1, 1]


@pytest.mark.parametrize("content", [b"", b"junk", b"\xff" * 20])
def test_a_damaged_safetensors_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=re.escape(str(path))):
        start_of(of(path))
    with pytest.raises(TrainingError, match=re.escape(str(path))):
        read_weights(path)


def test_a_state_of_a_training_is_no_checkpoint(tmp_path: Path) -> None:
    save_file({"network/x": np.ones(2, np.float32)}, str(tmp_path / "last.safetensors"))
    with pytest.raises(TrainingError, match="state of a training") as caught:
        read_weights(tmp_path / "last.safetensors")
    assert "best.pdparams" in caught.value.hint


DETECTION = "https://paddledet.bj.bcebos.com/models"


@pytest.mark.parametrize(
    ("which", "variant", "url"),
    [
        ("coco", "picodet_s_416_esnet", f"{DETECTION}/picodet_s_416_coco.pdparams"),
        ("coco", "picodet_s_320_esnet", f"{DETECTION}/picodet_s_320_coco.pdparams"),
        ("coco", "picodet_s_640_esnet", f"{DETECTION}/picodet_s_416_coco.pdparams"),
        ("coco", "picodet_xs_320", f"{DETECTION}/picodet_xs_320_coco_lcnet.pdparams"),
        ("coco", "picodet_l_640", f"{DETECTION}/picodet_l_640_coco_lcnet.pdparams"),
        ("imagenet", "picodet_m_320", f"{DETECTION}/pretrained/LCNet_x1_5_pretrained.pdparams"),
        ("imagenet", "picodet_s_416_esnet", f"{DETECTION}/pretrained/ESNet_x0_75_pretrained.pdparams"),
    ],
)
def test_published_addresses(which: str, variant: Variant, url: str) -> None:
    assert published_url(which, variant) == url


@pytest.mark.parametrize("variant", Variant.__args__)
@pytest.mark.parametrize("which", ["coco", "imagenet"])
def test_every_variant_has_published_weights(which: str, variant: Variant, cache: Path) -> None:
    assert published_url(which, variant).startswith("https://")
    assert cached_file(which, variant).parent == cache / "weights"


def test_the_cache_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MASKDET_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().name == "maskdet"
    assert cache_folder().is_absolute()


@pytest.mark.parametrize("tail", ["", "/"])
def test_a_mirror_is_asked_once(monkeypatch: pytest.MonkeyPatch, tail: str) -> None:
    behaviour, said = Behaviour(), list[str]()
    model = of("coco")
    with pytest.raises(StageError, match="not downloaded"):
        start_of(model)
    with serving(behaviour) as address:
        monkeypatch.setenv("MASKDET_WEIGHTS_URL", f"{address}/some/folder{tail}")
        fetch_start(model, say=said.append)
        fetch_start(model, say=said.append)
    start = start_of(model)
    assert start is not None
    assert start.path.read_bytes() == CONTENT
    assert [path for path, _ in behaviour.requests] == ["/some/folder/picodet_s_416_coco.pdparams"]
    assert said == [f"downloading {address}/some/folder/picodet_s_416_coco.pdparams to {start.path}"]


@pytest.mark.parametrize("pretrained", ["none", "default"])
def test_nothing_else_is_fetched(build: Path, pretrained: str) -> None:
    fetch_start(of(pretrained), say=pytest.fail)


def test_the_settings_know_words_and_paths() -> None:
    assert ModelSettings(pretrained="coco").pretrained == "coco"
    assert ModelSettings(pretrained="w/coco").pretrained == Path("w/coco")
    mapped = ModelSettings(pretrained="coco", class_map={"a": None})
    assert json.loads(mapped.model_dump_json())["class_map"] == {"a": None}


def test_a_class_map_needs_weights_with_classes() -> None:
    with pytest.raises(ValidationError, match=r"model\.pretrained is none: random weights have no classes"):
        ModelSettings(class_map={"face": "with_mask"})
