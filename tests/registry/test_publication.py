"""The folder for a model repository: complete, and silent about pictures and paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from maskdet.api.load import load
from maskdet.errors import RegistryError
from maskdet.registry.publication import publish
from maskdet.registry.records import Lineage, PictureRecord
from maskdet.registry.registry import Registry
from maskdet.registry.version import Version
from maskdet.system.files import sha256_file


@pytest.fixture
def version(bundle: Callable[[int], Path], tmp_path: Path) -> Version:
    lineage = Lineage(
        start="coco",
        pictures={"train": 80, "val": 20},
        counts={"pictures": 20, "faces.with_mask": 7},
        settings={"data.root": "/home/ann/secret"},
    )
    files = {name: f"{name}\n" for name in ("infer_cfg.yml", "best.pdparams", "metrics.json", "pipeline.yml")}
    seen = [PictureRecord(sha256="ab" * 32, phash="", part="val")]
    return Registry(tmp_path / "models").register("gate", bundle(1), lineage, pictures=seen, files=files)


def test_the_folder_has_what_a_repository_needs(version: Version, tmp_path: Path) -> None:
    names = publish(version, tmp_path / "out")

    assert names == ["LICENSE", "README.md", "best.pdparams", "infer_cfg.yml", "model.onnx"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert sha256_file(tmp_path / "out" / "model.onnx") == version.record.bundle
    assert load(tmp_path / "out" / "model.onnx").labels[0] == "with_mask"
    assert "Apache License" in (tmp_path / "out" / "LICENSE").read_text()


def test_the_card_has_figures_for_programs_and_people(version: Version, tmp_path: Path) -> None:
    publish(version, tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()

    _, front, body = text.split("---\n", 2)
    card = yaml.safe_load(front)
    assert card["license"] == "apache-2.0"
    assert card["pipeline_tag"] == "object-detection"
    [model] = card["model-index"]
    [result] = model["results"]
    assert (model["name"], result["task"]) == ("gate", {"type": "object-detection"})
    assert result["metrics"] == [{"type": "ap50", "name": "AP50", "value": 0.9}]
    assert "| with_mask | masked | 0.500 |" in body
    assert "Pictures: 80 train, 20 val." in body
    assert "secret" not in text
    assert str(tmp_path) not in text


def test_it_never_writes_over_something(version: Version, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    with pytest.raises(RegistryError, match="exists already"):
        publish(version, tmp_path / "out")
    version.bundle.write_bytes(b"x")
    with pytest.raises(RegistryError, match="not the file"):
        publish(version, tmp_path / "new")
    assert not (tmp_path / "new").exists()
