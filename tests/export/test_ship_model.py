"""scripts/ship_model.py on a real export, and what the package takes along."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from hatchling.builders.wheel import WheelBuilder
from painted import painted
from support import write_tiny_bundle
from trained import REPO, Exported

import ship_model
from maskdet.dataset.learnt import data_sha256
from maskdet.detector import shipped
from maskdet.detector.bundle import load_bundle
from maskdet.detector.calibration import Calibration
from maskdet.detector.catalogue import FAMILY
from maskdet.detector.threshold_policy import BEST_F1, ThresholdPolicy
from maskdet.errors import StageError
from maskdet.evaluation.settings import EvalSettings
from maskdet.export.assembly import store_meta
from maskdet.export.metadata import with_meta
from maskdet.pipeline.release.lineage import picture_records
from maskdet.registry.pictures import pictures_text
from maskdet.system.files import sha256_file
from maskdet.training.start.checkpoint_meta import read_meta
from maskdet.training.start.weights import read_weights

Ship = Callable[[Path, Path], list[Path]]
UNSTATED = ThresholdPolicy()
FACE_MASK = FAMILY["default"]


@pytest.fixture
def ship() -> Ship:
    return partial(ship_model.ship, model=FACE_MASK)


@pytest.fixture
def restate() -> Ship:
    return partial(ship_model.restate, model=FACE_MASK)


@pytest.fixture
def unstated(run: Path, tmp_path: Path, ship: Ship) -> Path:
    """A folder with both files, made before bundles said which policy chose their thresholds."""
    model = onnx.load(run / "export" / "model.onnx")
    meta = load_bundle(run / "export" / "model.onnx").meta
    figures = {name: value for name, value in meta.metrics.items() if "policy." not in name}
    store_meta(model, meta.model_copy(update={"threshold_policy": UNSTATED, "metrics": figures}))
    onnx.save(model, run / "export" / "model.onnx")
    (tmp_path / "models").mkdir()
    ship(run, tmp_path / "models")
    return tmp_path / "models"


@pytest.fixture
def run(exported: Exported, tmp_path: Path) -> Path:
    """A results folder as `maskdet run` leaves it."""
    files = {
        "train/best.pdparams": exported.job.weights,
        "export/model.onnx": exported.job.out / "model.onnx",
    }
    for name, source in files.items():
        (tmp_path / "run" / name).parent.mkdir(parents=True)
        shutil.copy(source, tmp_path / "run" / name)
    manifest = tmp_path / "run" / "prepare" / "manifest.json"
    manifest.parent.mkdir()
    exported.data.manifest.write(manifest)
    return tmp_path / "run"


def test_both_files_say_the_same_and_come_out_the_same_twice(run: Path, tmp_path: Path, ship: Ship) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    model, weights = ship(run, tmp_path / "one")
    again = ship(run, tmp_path / "two")
    assert [path.name for path in (model, weights)] == [FACE_MASK.bundle, FACE_MASK.weights]
    assert [sha256_file(path) for path in again] == [sha256_file(path) for path in (model, weights)]
    bundle, meta = load_bundle(model), read_meta(weights)
    assert (meta.labels, meta.variant, meta.licence) == (
        bundle.meta.labels,
        bundle.meta.variant,
        "Apache-2.0",
    )
    assert meta.bundle_sha256 == sha256_file(model)
    assert meta.metrics == bundle.meta.metrics
    before, after = read_weights(run / "train" / "best.pdparams"), read_weights(weights)
    assert before.keys() == after.keys()
    assert all((before[name] == after[name]).all() for name in before)


def test_shipped_files_are_told_which_policy_chose_their_thresholds(
    exported: Exported, unstated: Path, tmp_path: Path, restate: Ship
) -> None:
    bundle, weights = unstated / FACE_MASK.bundle, unstated / FACE_MASK.weights
    before, arrays = load_bundle(bundle), read_weights(weights)
    metrics = tmp_path / "metrics.json"
    metrics.write_text(json.dumps(exported.evaluation.to_json()))

    restate(metrics, unstated)

    after, meta = load_bundle(bundle), read_meta(weights)
    assert (before.meta.threshold_policy, after.meta.threshold_policy) == (UNSTATED, BEST_F1)
    assert after.meta.metrics.items() > before.meta.metrics.items()
    stated = after.meta.metrics["policy.best-f1.recall.with_mask"]
    assert stated == pytest.approx(after.meta.metrics["recall.with_mask"])
    assert (meta.bundle_sha256, meta.metrics) == (sha256_file(bundle), after.meta.metrics)
    assert onnx.load(bundle).graph == onnx.load_model_from_string(before.model).graph
    again = read_weights(weights)
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
    written = [bundle.read_bytes(), weights.read_bytes()]
    restate(metrics, unstated)
    assert [bundle.read_bytes(), weights.read_bytes()] == written


def test_a_policy_that_did_not_choose_them_is_not_stated(
    exported: Exported, unstated: Path, tmp_path: Path, restate: Ship
) -> None:
    bundle = unstated / FACE_MASK.bundle
    before = bundle.read_bytes()
    judged = exported.evaluation.to_json()
    for each in judged["policies"]:
        for one in each["classes"].values():
            one["threshold"] += 0.01
    metrics = tmp_path / "metrics.json"
    metrics.write_text(json.dumps(judged))
    with pytest.raises(StageError, match=r"no policy in .* chooses the thresholds"):
        restate(metrics, unstated)
    assert bundle.read_bytes() == before


def test_shipped_files_get_the_profile_of_their_val(
    run: Path, exported: Exported, tmp_path: Path, ship: Ship
) -> None:
    bundle, _ = ship(run, tmp_path)
    exported_profile = load_bundle(bundle).meta.profile
    bundle.write_bytes(
        with_meta(bundle.read_bytes(), load_bundle(bundle).meta.model_copy(update={"profile": None}))
    )
    before, manifest = load_bundle(bundle), run / "prepare" / "manifest.json"

    model, weights = ship_model.add_profile(manifest, tmp_path, FACE_MASK)

    after = load_bundle(model)
    assert before.meta.profile is None
    assert after.meta.profile == exported_profile
    assert after.meta.profile is not None
    assert after.meta.profile.pictures == len(exported.data.manifest.part("val"))
    assert read_meta(weights).bundle_sha256 == sha256_file(model)
    assert onnx.load(model).graph == onnx.load_model_from_string(before.model).graph
    whole = exported.data.manifest
    replace(whole, pictures=whole.pictures[1:]).write(manifest)
    with pytest.raises(StageError, match="is not the one that the bundle was made from"):
        ship_model.add_profile(manifest, tmp_path, FACE_MASK)


def test_a_bundle_is_calibrated_anew_without_training(tmp_path: Path, ship: Ship) -> None:
    """The tiny model's scores are 0 or 1, so that no temperature is found."""
    manifest = painted(tmp_path, 12)
    manifest.write(tmp_path / "manifest.json")
    bundle = write_tiny_bundle(
        tmp_path / FACE_MASK.bundle,
        manifest_sha256=data_sha256(tmp_path / "manifest.json"),
        calibration=Calibration(temperature=0.5),
    )
    shutil.copy(shipped.shipped_weights(), tmp_path / FACE_MASK.weights)
    graph = onnx.load(bundle).graph
    ship_model.list_pictures(tmp_path / "manifest.json", tmp_path, FACE_MASK)

    model, weights = ship_model.refit(
        tmp_path / "manifest.json", tmp_path, FACE_MASK, EvalSettings(threshold="safe")
    )

    meta = load_bundle(model).meta
    assert (meta.calibration, meta.threshold_policy, meta.metrics["ap50"]) == (None, BEST_F1, 1.0)
    assert meta.metrics["promise.false_alarms"] == 0
    assert "policy.best-f1.threshold.with_mask" in meta.metrics
    assert meta.profile is not None
    assert meta.profile.pictures == 12
    assert read_meta(weights).bundle_sha256 == sha256_file(model)
    assert onnx.load(model).graph == graph
    learnt = replace(manifest, pictures=tuple(replace(one, part="train") for one in manifest.pictures))
    text = pictures_text(picture_records(learnt))
    (tmp_path / FACE_MASK.pictures).write_bytes(gzip.compress(text.encode()))
    with pytest.raises(StageError, match="trained on 12 pictures of val"):
        ship_model.refit(tmp_path / "manifest.json", tmp_path, FACE_MASK, EvalSettings())


def test_weights_of_another_training_are_refused(
    run: Path, exported: Exported, tmp_path: Path, ship: Ship
) -> None:
    shutil.copy(exported.job.weights.with_name("last.pdparams"), run / "train" / "best.pdparams")
    if sha256_file(exported.job.weights) == sha256_file(run / "train" / "best.pdparams"):
        pytest.skip("the last epoch was the best")
    with pytest.raises(StageError, match="was not exported from"):
        ship(run, tmp_path)
    assert not (tmp_path / FACE_MASK.bundle).exists()


def test_a_bundle_of_another_training_is_refused(run: Path, tmp_path: Path, ship: Ship) -> None:
    write_tiny_bundle(run / "export" / "model.onnx")
    with pytest.raises(StageError, match="is not the one that the bundle was made from"):
        ship(run, tmp_path)


def test_a_manifest_of_another_split_is_refused(run: Path, tmp_path: Path, ship: Ship) -> None:
    manifest = run / "prepare" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["pictures"][0]["part"] = "val" if content["pictures"][0]["part"] == "train" else "train"
    manifest.write_text(json.dumps(content))
    with pytest.raises(StageError, match=r"manifest\.json"):
        ship(run, tmp_path)


def test_the_wheel_takes_the_models_along(tmp_path: Path) -> None:
    """On a copy, since a build without a model has nothing to take along."""
    (tmp_path / "requirements").mkdir()
    for name in ("pyproject.toml", ".gitignore", "README.md", "LICENSE", "requirements/train.txt"):
        shutil.copy(REPO / name, tmp_path / name)
    (tmp_path / "maskdet" / "models").mkdir(parents=True)
    shutil.copy(REPO / "maskdet" / "__init__.py", tmp_path / "maskdet")
    for name in (FACE_MASK.bundle, FACE_MASK.weights):
        (tmp_path / "maskdet" / "models" / name).write_bytes(b"x")
    taken = {file.distribution_path for file in WheelBuilder(str(tmp_path)).recurse_included_files()}
    assert {f"maskdet/models/{name}" for name in (FACE_MASK.bundle, FACE_MASK.weights)} <= taken


@pytest.mark.skipif(not shipped.ships_model(), reason="this build ships no default model")
def test_the_shipped_files_belong_to_each_other() -> None:
    model, meta = shipped.shipped_model(), read_meta(shipped.shipped_weights())
    assert meta.bundle_sha256 == sha256_file(model)
    assert meta.labels == load_bundle(model).meta.labels
    profile = load_bundle(model).meta.profile
    assert profile is not None
    assert profile.pictures == sum(profile.features["brightness"].counts) == 398
    assert sum(path.stat().st_size for path in (model, shipped.shipped_weights())) < 12_000_000
