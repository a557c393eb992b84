from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from trained import draw_faces, run_script

from maskdet.artefacts import CONFIG
from maskdet.dataset.manifest import Manifest
from maskdet.errors import PipelineFileError, StageError, UsageError
from maskdet.training.recipe.recipe import Recipe, build_recipe, load_recipe
from maskdet.training.settings import ModelSettings, TrainSettings, Variant

NETWORKS = Path(__file__).with_name("count_parameters.py")
VARIANTS = get_args(Variant)
PUBLISHED_MILLIONS = {"xs": 0.70, "s": 1.18, "m": 3.46, "l": 5.80}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return draw_faces(tmp_path_factory.mktemp("drawn"), 16).manifest


def recipe_of(
    manifest: Manifest, name: str = "picodet_s_416", *, fine_tunes: bool = False, **settings: Any
) -> Recipe:
    chosen = TrainSettings(**{"epochs": 30, "batch_size": 4, **settings})
    return build_recipe(
        ModelSettings(variant=name),
        chosen,
        manifest,
        prepare_dir=Path("prepare"),
        fine_tunes=fine_tunes,
    )


def many(manifest: Manifest, train: int) -> Manifest:
    """A manifest of `train` pictures in the train part."""
    one = dataclasses.replace(manifest.pictures[0], part="train")
    return dataclasses.replace(manifest, pictures=(one,) * train)


@pytest.fixture(scope="module")
def parameters(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Values of each variant's real network, built by PaddleDetection from the written YAML."""
    folder = tmp_path_factory.mktemp("recipes")
    for name in VARIANTS:
        recipe_of(manifest, name).write(folder / name)
    paths = [folder / name / CONFIG for name in VARIANTS]
    counts = run_script(NETWORKS, *paths)
    return dict(zip(VARIANTS, counts, strict=True))


@pytest.mark.parametrize("name", VARIANTS)
def test_network_has_the_published_size(parameters: dict[str, int], name: str) -> None:
    millions = 1.0 if name.endswith("esnet") else PUBLISHED_MILLIONS[name.split("_")[1]]
    assert parameters[name] / 1e6 == pytest.approx(millions, rel=0.06)


@pytest.mark.parametrize("name", VARIANTS)
def test_sides_follow_the_variant(manifest: Manifest, name: str) -> None:
    document = recipe_of(manifest, name).document
    side = int(name.split("_")[2])
    resize = document["TrainReader"]["batch_transforms"][0]["BatchRandomResize"]
    assert document["eval_size"] == [side, side]
    assert document["EvalReader"]["sample_transforms"][1]["Resize"]["target_size"] == [side, side]
    assert document["TestReader"]["inputs_def"]["image_shape"] == [1, 3, side, side]
    assert resize["target_size"] == [side - 64, side - 32, side, side + 32, side + 64]
    assert all(each % 32 == 0 for each in resize["target_size"])


@pytest.mark.parametrize(
    ("pictures", "settings", "warmup", "switch"),
    [
        (599, {"epochs": 30, "batch_size": 16}, 111, 10),
        (599, {"epochs": 300, "batch_size": 16}, 300, 100),
        (599, {"epochs": 2, "batch_size": 16}, 7, 0),
        (9, {"epochs": 1, "batch_size": 4}, 1, 0),
        (599, {"epochs": 31, "batch_size": 16}, 114, 10),
    ],
)
def test_schedule_follows_steps_and_epochs(
    manifest: Manifest, pictures: int, settings: dict[str, int], warmup: int, switch: int
) -> None:
    document = recipe_of(many(manifest, pictures), **settings).document
    cosine, linear = document["LearningRate"]["schedulers"]
    assert (cosine["name"], cosine["max_epochs"]) == ("CosineDecay", settings["epochs"])
    assert (linear["name"], linear["steps"]) == ("LinearWarmup", warmup)
    assert document["PicoHeadV2"]["static_assigner_epoch"] == switch
    assert document["epoch"] == settings["epochs"]


def test_a_given_learning_rate_is_kept(manifest: Manifest) -> None:
    recipe = recipe_of(manifest, learning_rate=0.007)
    assert recipe.document["LearningRate"]["base_lr"] == 0.007
    assert "train.learning_rate of the pipeline file" in recipe.explain("LearningRate.base_lr")


@pytest.mark.parametrize("optimizer", ["momentum", "adamw"])
def test_a_start_that_knows_the_classes_is_trained_gently(manifest: Manifest, optimizer: str) -> None:
    fresh = recipe_of(manifest, optimizer=optimizer)
    known = recipe_of(manifest, optimizer=optimizer, fine_tunes=True)
    rates = [recipe.document["LearningRate"]["base_lr"] for recipe in (fresh, known)]
    assert rates[1] == pytest.approx(rates[0] / 10)
    assert [recipe.document["freeze_norm"] for recipe in (fresh, known)] == [False, True]
    assert "x 0.1 since model.pretrained knows all classes" in known.explain("LearningRate.base_lr")
    assert "knows all classes" in known.explain("freeze_norm")
    assert "does not know" in fresh.explain("freeze_norm")


def test_a_given_rate_is_kept_in_fine_tuning_too(manifest: Manifest) -> None:
    recipe = recipe_of(manifest, learning_rate=0.007, fine_tunes=True)
    assert recipe.document["LearningRate"]["base_lr"] == 0.007
    assert recipe.document["freeze_norm"] is False
    assert "train.learning_rate of the pipeline file" in recipe.explain("freeze_norm")


def test_a_larger_batch_gets_a_larger_rate(manifest: Manifest) -> None:
    rates = [recipe_of(manifest, batch_size=size).document["LearningRate"]["base_lr"] for size in (2, 4, 8)]
    assert rates == sorted(set(rates))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("LearningRate.base_lr", ["auto", "train.batch_size 4"]),
        ("LearningRate", ["cosine over", "base_lr"]),
        ("LearningRate.schedulers", ["train.epochs 30", "300"]),
        ("PicoHeadV2.static_assigner_epoch", ["10", "100/300"]),
        ("eval_size", ["picodet_s_416"]),
        ("LCNet.scale", ["0.75", "model.variant"]),
        ("num_classes", ["2 labels"]),
        ("OptimizerBuilder.optimizer", ["momentum: 0.9"]),
        ("metric", ["VOC", "published recipe"]),
    ],
)
def test_explain_gives_value_and_reason(manifest: Manifest, key: str, words: list[str]) -> None:
    text = recipe_of(manifest).explain(key)
    assert text.startswith(f"{key}:")
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("LearningRate.base_lrr", "did you mean LearningRate.base_lr?"),
        ("eval_siz", "did you mean eval_size?"),
        ("zzzz", "top-level keys: architecture"),
        ("epoch.x", "did you mean"),
    ],
)
def test_unknown_key_names_the_nearest(manifest: Manifest, key: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipe_of(manifest).explain(key)
    assert repr(key) in caught.value.what
    assert hint in caught.value.hint


def test_fewer_pictures_than_a_batch(manifest: Manifest) -> None:
    with pytest.raises(PipelineFileError) as caught:
        recipe_of(many(manifest, 7), batch_size=8)
    assert "train.batch_size is 8" in caught.value.what
    assert "7 pictures" in caught.value.what
    assert "3 or less" in caught.value.hint


@pytest.mark.parametrize(
    ("weight", "shown", "hint"),
    [
        (0.2, "shows 1.4 pictures, of 7", "set train.batch_size to 1 or less, or add pictures, or raise"),
        (0.1, "shows 0.7 pictures, of 7", "add pictures, or raise the weight"),
    ],
)
def test_fewer_pictures_than_a_batch_because_of_a_weight(
    manifest: Manifest, weight: float, shown: str, hint: str
) -> None:
    roots = tuple(dataclasses.replace(root, weight=weight) for root in manifest.roots)
    with pytest.raises(PipelineFileError) as caught:
        recipe_of(many(dataclasses.replace(manifest, roots=roots), 7), batch_size=8)
    assert shown in caught.value.what
    assert caught.value.hint.startswith(hint)


def test_safe_yaml_reads_what_was_written(manifest: Manifest, tmp_path: Path) -> None:
    recipe = recipe_of(manifest)
    recipe.write(tmp_path)
    text = (tmp_path / CONFIG).read_text(encoding="utf-8")
    assert yaml.safe_load(text) == recipe.document
    assert "!!" not in text
    assert "_BASE_" not in text
    assert load_recipe(tmp_path) == recipe


def test_the_same_settings_give_the_same_bytes(manifest: Manifest, tmp_path: Path) -> None:
    for name in ("one", "two"):
        recipe_of(manifest).write(tmp_path / name)
    one, two = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_missing_recipe_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=CONFIG) as caught:
        load_recipe(tmp_path)
    assert "maskdet config" in caught.value.hint


def test_mixed_precision_is_told_in_paddledetections_keys(manifest: Manifest) -> None:
    mixed, plain = recipe_of(manifest, amp=True), recipe_of(manifest)
    assert (mixed.document["amp"], mixed.document["amp_level"]) == (True, "O1")
    assert "train.amp" in mixed.explain("amp")
    assert "amp" not in plain.document
    assert {
        key: value for key, value in mixed.document.items() if not key.startswith("amp")
    } == plain.document
