from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from support import LABELS, write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.detector.settings import METADATA_KEY
from maskdet.detector.shipped import shipped_model
from maskdet.detector.threshold_policy import BEST_F1, OVERRIDE, ThresholdPolicy
from maskdet.errors import BundleError


def edited(path: Path, edit: Callable[[onnx.ModelProto], None]) -> Path:
    model = onnx.load(path)
    edit(model)
    onnx.save(model, path)
    return path


def with_meta(path: Path, **changes: object) -> Path:
    def edit(model: onnx.ModelProto) -> None:
        meta = json.loads(model.metadata_props[0].value)
        model.metadata_props[0].value = json.dumps(meta | changes)

    return edited(path, edit)


def test_a_bundle_holds_all_that_is_needed(model_path: Path) -> None:
    bundle = load_bundle(model_path)
    assert bundle.path == model_path
    assert bundle.model == model_path.read_bytes()
    assert bundle.sha256 == hashlib.sha256(bundle.model).hexdigest()
    assert bundle.meta.labels == LABELS
    assert bundle.meta.input_size == (64, 64)
    assert len(repr(bundle)) < 2000


def test_a_bundle_states_the_policy_of_its_thresholds_and_what_they_cost(tmp_path: Path) -> None:
    policy = ThresholdPolicy(name="safe", parameter=0.03)
    metrics = {"recall.with_mask": 0.8647, "recall.without_mask": 0.714}
    path = write_tiny_bundle(tmp_path / "m.onnx", threshold_policy=policy, metrics=metrics)
    meta = load_bundle(path).meta
    assert meta.threshold_policy == policy
    assert meta.own_recall == {"with_mask": 0.8647, "without_mask": 0.714}
    said = meta.describe_thresholds()
    assert "at most 3% of bare faces" in said
    assert said.endswith("on val they answer 86.5% of with_mask, 71.4% of without_mask")


def test_a_bundle_from_before_policies_were_stated_claims_none(tmp_path: Path) -> None:
    def forget(model: onnx.ModelProto) -> None:
        meta = json.loads(model.metadata_props[0].value)
        del meta["threshold_policy"]
        model.metadata_props[0].value = json.dumps(meta)

    meta = load_bundle(edited(write_tiny_bundle(tmp_path / "m.onnx"), forget)).meta
    assert meta.threshold_policy == ThresholdPolicy(name="unknown")
    assert meta.describe_thresholds() == "without a stated policy; what they cost in recall is not stated"


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (ThresholdPolicy(name="safe", parameter=0.025), "at most 2.5% of bare faces"),
        (ThresholdPolicy(name="recall", parameter=0.9), "at least 90% of each class's faces"),
        (ThresholdPolicy(name="recall"), "at least a share of each class's faces"),
        (BEST_F1, "each class's best F1"),
        (ThresholdPolicy(name="given"), "numbers from the pipeline file"),
        (OVERRIDE, "in place of the model's own"),
    ],
)
def test_policies_in_words(policy: ThresholdPolicy, text: str) -> None:
    assert policy.describe().startswith(f"{policy.name}, ")
    assert text in policy.describe()


def test_the_same_bundle_is_written_to_the_byte(tmp_path: Path) -> None:
    first, second = (write_tiny_bundle(tmp_path / name) for name in ("a.onnx", "b.onnx"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("content", "what"),
    [(None, "No such file"), (b"", "cannot be loaded"), (b"hello", "cannot be loaded")],
    ids=["missing", "empty", "text"],
)
def test_what_is_no_model(tmp_path: Path, content: bytes | None, what: str) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BundleError, match=what) as caught:
        load_bundle(path)
    assert caught.value.what.startswith(f"{path}: ")
    assert "maskdet export" in caught.value.hint or "ONNX" in caught.value.hint


def test_a_cut_model(tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "cut.onnx")
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(BundleError):
        load_bundle(path)


def test_a_model_without_metadata(tmp_path: Path) -> None:
    path = edited(write_tiny_bundle(tmp_path / "m.onnx"), lambda model: model.metadata_props.pop())
    with pytest.raises(BundleError, match="no maskdet metadata"):
        load_bundle(path)


@pytest.mark.parametrize("text", ["{", "[]", "null", "3", ""])
def test_metadata_that_is_not_an_object(tmp_path: Path, text: str) -> None:
    def edit(model: onnx.ModelProto) -> None:
        model.metadata_props[0].value = text

    with pytest.raises(BundleError):
        load_bundle(edited(write_tiny_bundle(tmp_path / "m.onnx"), edit))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"format": 2}, "format 2, this maskdet reads 1"),
        ({"format": 2, "labels": 7, "colour": "bgr"}, "format 2"),
        ({"labels": []}, "empty or contain duplicates"),
        ({"labels": ["a", "a", "b"]}, "empty or contain duplicates"),
        ({"labels": ["a", "b"], "thresholds": {"a": 0.5, "b": 0.5}}, r"scores is .* not .*\['N', 'N', 2\]"),
        ({"thresholds": {"with_mask": 0.5}}, "thresholds are given for"),
        ({"input_size": [32, 64]}, r"image is .*\[.*64, 64, 3\], not .*32, 64, 3"),
        ({"input_size": [64]}, "wrong at input_size"),
        ({"nms": {"keep": 0}}, "wrong at nms.keep"),
        ({"colour": "bgr"}, "wrong at colour"),
        ({"threshold_policy": {"name": "brave"}}, "wrong at threshold_policy.name"),
        ({"threshold_policy": {"name": "safe", "parameter": 3}}, "wrong at threshold_policy.parameter"),
    ],
)
def test_metadata_that_does_not_fit(tmp_path: Path, changes: dict[str, object], what: str) -> None:
    path = with_meta(write_tiny_bundle(tmp_path / "m.onnx"), **changes)
    with pytest.raises(BundleError, match=what) as caught:
        load_bundle(path)
    assert caught.value.what.startswith(f"{path}: ")
    assert caught.value.hint


def test_metadata_under_another_key(tmp_path: Path) -> None:
    def edit(model: onnx.ModelProto) -> None:
        assert model.metadata_props[0].key == METADATA_KEY
        model.metadata_props[0].key = "other"

    with pytest.raises(BundleError, match="no maskdet metadata"):
        load_bundle(edited(write_tiny_bundle(tmp_path / "m.onnx"), edit))


def test_another_graph(tmp_path: Path) -> None:
    def edit(model: onnx.ModelProto) -> None:
        model.graph.output[0].name = "grid"

    with pytest.raises(BundleError, match="not from image to boxes, scores"):
        load_bundle(edited(write_tiny_bundle(tmp_path / "m.onnx"), edit))


def test_a_fixed_batch(tmp_path: Path) -> None:
    def edit(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1

    with pytest.raises(BundleError, match="one fixed size"):
        load_bundle(edited(write_tiny_bundle(tmp_path / "m.onnx"), edit))


def test_a_bundle_made_before_roles_has_those_that_the_names_tell(tmp_path: Path) -> None:
    def forget(model: onnx.ModelProto) -> None:
        meta = json.loads(model.metadata_props[0].value)
        del meta["roles"]
        model.metadata_props[0].value = json.dumps(meta)

    labels = ("mask", "not wearing mask", "visor")
    path = write_tiny_bundle(tmp_path / "m.onnx", labels=labels, roles={"visor": "bare"})

    assert load_bundle(path).meta.roles == {"visor": "bare"}
    assert load_bundle(edited(path, forget)).meta.roles == {"mask": "masked", "not wearing mask": "bare"}


def test_the_shipped_bundle_has_roles() -> None:
    assert load_bundle(shipped_model()).meta.roles == {
        "with_mask": "masked",
        "without_mask": "bare",
        "mask_weared_incorrect": "worn-wrong",
    }
