"""A training that starts from a registered version, such as the champion."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from support import LABELS, write_tiny_bundle

from maskdet.artefacts import BEST
from maskdet.errors import PipelineFileError, RegistryError
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.file.load import load_pipeline
from maskdet.pipeline.release.lineage import start_of_run
from maskdet.pipeline.running.cache import StageRecord, inputs_of, why_stale
from maskdet.pipeline.running.outcome import RunOptions
from maskdet.pipeline.running.run import run_stages
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages import STAGES
from maskdet.pipeline.stages.train import STAGE as TRAIN
from maskdet.pipeline.stages.train import settled, started_from
from maskdet.registry.records import PictureRecord
from maskdet.registry.registry import Registry
from maskdet.training.start.architecture import BOX_ROWS
from maskdet.training.start.knowledge import knows_classes
from maskdet.training.start.starting import start_of

VARIANT = "picodet_s_416_esnet"
SEEN = PictureRecord(sha256="a" * 64, phash="", part="train")
CHAMPION = "models:demo@champion"


def weights_of(number: int) -> bytes:
    """A head for the classes of the bundle, as a .pdparams file."""
    return pickle.dumps(
        {"head.head_cls0.weight": np.full((len(LABELS) + BOX_ROWS, 4, 1, 1), number, np.float32)}
    )


def add_version(registry: Registry, root: Path, *, weights: bool = True, variant: str = VARIANT) -> str:
    number = len(registry.versions("demo")) + 1 if "demo" in registry.models() else 1
    path = write_tiny_bundle(root / f"{number}.onnx", variant=variant, metrics={"ap50": number / 9})
    (root / BEST).write_bytes(weights_of(number))
    files = {BEST: root / BEST} if weights else {}
    return registry.register("demo", path, pictures=[SEEN], files=files).reference


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Version 1 is the champion."""
    registry = Registry(tmp_path / "models")
    add_version(registry, tmp_path)
    registry.set_alias("demo", "champion", 1, why="first")
    return registry


def configured(root: Path, *overrides: str, pretrained: str = CHAMPION) -> Context:
    (root / "pipeline.yml").write_text(
        "name: demo\ndata: {root: faces}\ntrain: {batch_size: 2}\n"
        f"model: {{variant: {VARIANT}, pretrained: '{pretrained}'}}\n"
    )
    return Context(load_pipeline(root / "pipeline.yml", overrides), root / "runs" / "demo")


def prepared(root: Path, *overrides: str) -> Context:
    if not (root / "faces").exists():
        draw_data_set(root / "faces", 4)
    context = configured(root, *overrides)
    result = run_stages(STAGES, context, RunOptions(end="config"))
    assert result.error is None
    return context


def test_the_bundle_names_the_classes_and_the_architecture(registry: Registry) -> None:
    model = configured(registry.folder.parent).pipeline.model
    start = start_of(model, registry=registry.folder)
    assert start is not None
    assert (start.name, start.labels) == ("models:demo@1", LABELS)
    assert start.path.read_bytes() == weights_of(1)
    assert knows_classes(model, LABELS[::-1], registry=registry.folder)
    assert not knows_classes(model, (*LABELS, "visor"), registry=registry.folder)
    other = model.model_copy(update={"variant": "picodet_l_640"})
    with pytest.raises(PipelineFileError, match="another architecture"):
        start_of(other, registry=registry.folder)
    add_version(registry, registry.folder.parent, variant="picodet_x")
    unknown = model.model_copy(update={"pretrained": Path("models:demo@2")})
    with pytest.raises(PipelineFileError, match="picodet_x, which this version of maskdet does not know"):
        start_of(unknown, registry=registry.folder)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("models:other@champion", "has no model other"),
        ("models:demo@challenger", "demo has no alias challenger"),
        ("models:demo@7", "demo has no version 7"),
        ("models:demo", "does not name a version of a model"),
        ("models:demo@2", "models:demo@2 has no weights to start from"),
    ],
)
def test_a_reference_that_leads_nowhere(registry: Registry, reference: str, said: str) -> None:
    root = registry.folder.parent
    add_version(registry, root, weights=False)
    model = configured(root, pretrained=reference).pipeline.model
    with pytest.raises(RegistryError, match=f"^model.pretrained: .*{said}") as refused:
        start_of(model, registry=registry.folder)
    assert refused.value.hint


@pytest.mark.parametrize("name", [BEST, "model.onnx", "version.json"])
def test_a_changed_version_is_not_started_from(registry: Registry, name: str) -> None:
    path = registry.resolve(CHAMPION).folder / name
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(RegistryError, match=f"{name} is not the file that was registered"):
        start_of(configured(registry.folder.parent).pipeline.model, registry=registry.folder)


def test_a_champion_that_moves_makes_no_finished_training_stale(registry: Registry) -> None:
    root = registry.folder.parent
    context = prepared(root)
    inputs = inputs_of(context, TRAIN)
    StageRecord(inputs, finished=True, outputs={}).write(context, TRAIN)
    assert inputs["model.pretrained, version"] == "models:demo@1"

    add_version(registry, root)
    registry.set_alias("demo", "champion", 2, why="better")

    assert why_stale(context, TRAIN, inputs_of(context, TRAIN)) == ""
    assert inputs_of(context, TRAIN, force=True)["model.pretrained, version"] == "models:demo@2"
    more = prepared(root, "train.epochs=3")
    assert inputs_of(more, TRAIN)["model.pretrained, version"] == "models:demo@2"
    assert "train.epochs" in why_stale(more, TRAIN, inputs_of(more, TRAIN))


def test_a_training_goes_on_from_the_version_that_it_started_from(registry: Registry) -> None:
    root = registry.folder.parent
    context = configured(root)
    StageRecord({"model.pretrained, version": "models:demo@1"}).write(context, TRAIN)
    add_version(registry, root)
    registry.set_alias("demo", "champion", 2, why="better")
    start = start_of(settled(context, started_from(context)).pipeline.model, registry=registry.folder)
    assert start is not None
    assert start.name == "models:demo@1"


def test_the_version_is_the_parent_and_what_it_has_seen_is_inherited(registry: Registry) -> None:
    root = registry.folder.parent
    context = configured(root)
    assert start_of_run(context, registry, "demo").parent == ""
    inputs = {"model.pretrained": CHAMPION, "model.pretrained, version": "models:demo@1"}
    StageRecord(inputs, finished=True).write(context, TRAIN)
    add_version(registry, root)
    registry.set_alias("demo", "champion", 2, why="better")
    start = start_of_run(context, registry, "demo")
    assert start.parent == "models:demo@1"
    assert start.words.startswith(f"{BEST} (")
    assert start.pictures == (SEEN,)
