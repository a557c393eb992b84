"""Turn one finished run into a shipped model of the package: RUN_DIR, such as runs/face-mask.

--model names one of the catalogue (maskdet/detector/catalogue.py), which says how its files are called.
Writes STEM.onnx and STEM.safetensors into maskdet/models, after checking that the bundle was made from
exactly these weights, under the name STEM with dashes.

With --restate METRICS the shipped model does not change, but its metadata state which policy chose its
thresholds and what each policy costs: METRICS is the metrics.json of `maskdet eval --model NAME`.

With --refit MANIFEST the network does not change, but the calibration of its scores, its thresholds, their
policy, its figures and the profile of its answers are made anew on val, with the eval settings of --config,
by default configs/NAME.yml. MANIFEST is any whose val pictures the model was not trained on.

With --profile MANIFEST the shipped model does not change, but its metadata get the profile of its answers on
val: MANIFEST is the manifest.json that it was exported with.

With --pictures MANIFEST only STEM.pictures.json.gz is written: hashes of the pictures that the shipped model
was trained and validated on, and of those that the shipped model that it started from has seen, for its
lineage in a registry.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.numpy import save_file

from maskdet.artefacts import BEST, BUNDLE, MANIFEST
from maskdet.dataset.learnt import data_sha256, learnt_sha256
from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.catalogue import DEFAULT, FAMILY, ShippedModel
from maskdet.detector.threshold_policy import COMPARED, ThresholdPolicy
from maskdet.errors import MaskdetError, StageError
from maskdet.evaluation.settings import EvalSettings
from maskdet.export.assembly import store_meta
from maskdet.export.figures import bundle_figures
from maskdet.export.metadata import with_meta
from maskdet.judging.bundles import see_val, survey_bundle
from maskdet.pipeline.file.load import load_pipeline
from maskdet.pipeline.release.lineage import picture_records
from maskdet.pipeline.stages.export import calibration_of
from maskdet.registry.pictures import inherited, pictures_text, read_pictures
from maskdet.system.files import staged_file
from maskdet.training.start.architecture import class_count
from maskdet.training.start.checkpoint_meta import CheckpointMeta, read_meta
from maskdet.training.start.weights import Weights, is_class_layer, read_weights

MODELS = Path(__file__).resolve().parents[1] / "maskdet" / "models"
CONFIGS = MODELS.parents[1] / "configs"
MAX_BYTES = 12_000_000
"""Both files together."""


def ship(run: Path, target: Path, model: ShippedModel) -> list[Path]:
    """Write both files. Raises StageError if they do not belong together or are too large."""
    bundle_file = run / "export" / BUNDLE
    bundle = load_bundle(bundle_file)
    weights = read_weights(run / "train" / BEST)
    _require_hash(run / "prepare" / MANIFEST, bundle.meta.manifest_sha256)
    _require_same(weights, bundle_file, len(bundle.meta.labels))
    # A server without other names answers under it, whatever the run was called.
    name = model.stem.replace("_", "-")
    data = with_meta(bundle.model, bundle.meta.model_copy(update={"name": name}))
    meta = CheckpointMeta(
        name=name,
        variant=bundle.meta.variant,
        labels=bundle.meta.labels,
        bundle_sha256=hashlib.sha256(data).hexdigest(),
        metrics=bundle.meta.metrics,
        licence=bundle.meta.licence,
    )
    return _write(weights, meta, data, target, model)


def restate(metrics: Path, folder: Path, model: ShippedModel) -> list[Path]:
    """Write the policy of its thresholds, and the cost of each, into the shipped bundle; existing metadata
    stays. Raises StageError if no policy of the evaluation chooses the thresholds of this bundle.
    """
    bundle = load_bundle(folder / model.bundle)
    judged = _judged(metrics, model)
    figures = {**bundle_figures(judged), **bundle.meta.metrics}
    stated = {"threshold_policy": _policy_of(bundle, judged, metrics), "metrics": figures}
    graph = onnx.load_model_from_string(bundle.model)
    store_meta(graph, bundle.meta.model_copy(update=stated))
    return _rewrite(graph.SerializeToString(), folder, model, metrics=figures)


def add_profile(manifest: Path, folder: Path, model: ShippedModel) -> list[Path]:
    """Write the profile of its answers on val into the shipped bundle; all else in it stays, to the byte.

    Raises StageError for another manifest than the one that it was exported with.
    """
    bundle = load_bundle(folder / model.bundle)
    _require_hash(manifest, bundle.meta.manifest_sha256)
    _, profile = survey_bundle(bundle, load_manifest(manifest), EvalSettings())
    data = with_meta(bundle.model, bundle.meta.model_copy(update={"profile": profile}))
    return _rewrite(data, folder, model)


def refit(manifest: Path, folder: Path, model: ShippedModel, settings: EvalSettings) -> list[Path]:
    """Calibrate the shipped bundle and choose its thresholds on val, as the stage eval does for a checkpoint.

    Raises StageError if val has a picture that it was trained on.
    """
    bundle, val = load_bundle(folder / model.bundle), load_manifest(manifest)
    require_unseen(val, folder, model)
    seen = see_val(uncalibrated(bundle), val)
    evaluation = seen.match.judge(seen.pairs, seen.views, settings, bundle.meta.input_size)
    judged = evaluation.to_json()
    figures = bundle_figures(judged)
    stated = {
        "calibration": calibration_of(judged),
        "thresholds": evaluation.thresholds,
        "threshold_policy": evaluation.policy,
        "metrics": figures,
    }
    meta = bundle.meta.model_copy(update=stated)
    _, profile = survey_bundle(replace(bundle, meta=meta), val, settings)
    data = with_meta(bundle.model, meta.model_copy(update={"profile": profile}))
    return _rewrite(data, folder, model, metrics=figures)


def uncalibrated(bundle: Bundle) -> Bundle:
    """The bundle with the scores of its network."""
    return replace(bundle, meta=bundle.meta.model_copy(update={"calibration": None}))


def list_pictures(manifest: Path, folder: Path, model: ShippedModel) -> list[Path]:
    """Write the hashes of the manifest's pictures, and those of the shipped model that this one started from.

    Raises StageError for another manifest than the one that the shipped bundle was exported with.
    """
    _require_hash(manifest, load_bundle(folder / model.bundle).meta.manifest_sha256)
    own = picture_records(load_manifest(manifest))
    parent = FAMILY.get(model.start)
    before = read_pictures(folder / parent.pictures) if parent else ()
    text = pictures_text([*own, *inherited(before, own)])
    target = folder / model.pictures
    with staged_file(target) as aside:
        # Without a time, so that the same pictures give the same bytes.
        aside.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    return [target]


def _judged(metrics: Path, model: ShippedModel) -> dict[str, Any]:
    hint = f"`maskdet eval --model {model.name}` writes it to eval-{model.stem}/ in the results folder"
    try:
        judged: dict[str, Any] = json.loads(metrics.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StageError(f"{metrics} cannot be read: {error}", hint) from error
    if "policies" not in judged:
        raise StageError(f"{metrics} does not contain the costs of the policies", hint)
    return judged


def _policy_of(bundle: Bundle, judged: dict[str, Any], metrics: Path) -> ThresholdPolicy:
    for each in judged["policies"]:
        chosen = {label: one["threshold"] for label, one in each["classes"].items()}
        if each["policy"]["name"] in COMPARED and chosen == bundle.meta.thresholds:
            return ThresholdPolicy.model_validate(each["policy"])
    raise StageError(
        f"no policy in {metrics} chooses the thresholds of {bundle.path}: {bundle.meta.thresholds}",
        "evaluate it with the data and the eval settings that it was exported with",
    )


def _require_hash(manifest: Path, expected: str) -> None:
    # The hash of what is learnt identifies the data of bundles whose manifest had no further content.
    if not manifest.is_file() or expected not in (data_sha256(manifest), learnt_sha256(manifest)):
        raise StageError(
            f"{manifest} is not the one that the bundle was made from", "run `maskdet run` to its end"
        )


def require_unseen(manifest: Manifest, folder: Path, model: ShippedModel) -> None:
    """Raises StageError if the model, whose files are in the folder, was trained on a picture of val."""
    known = read_pictures(folder / model.pictures)
    trained = {record.sha256 for record in known if record.part == "train"}
    if seen := [item.picture for item in manifest.part("val") if item.sha256 in trained]:
        raise StageError(
            f"the shipped model was trained on {len(seen)} pictures of val, such as {seen[0]}",
            "prepare with data.frozen_val: configs/family.val.json",
        )


def _require_same(weights: Weights, bundle: Path, classes: int) -> None:
    """Layers of the head have no normalisation to fold in: the graph contains them unchanged."""
    stored = {_key(numpy_helper.to_array(each)) for each in _tensors(onnx.load(bundle).graph)}
    layers = [name for name in weights if is_class_layer(name) and name.endswith("weight")]
    strange = [name for name in layers if _key(weights[name]) not in stored]
    if not layers or strange or class_count(weights) != classes:
        raise StageError(
            f"{bundle} was not exported from train/{BEST}: {', '.join(strange) or 'the head'} differs",
            "run `maskdet export --force`",
        )


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        yield from (attribute.t for attribute in node.attribute if node.op_type == "Constant")


def _key(array: NDArray[Any]) -> tuple[tuple[int, ...], bytes]:
    return array.shape, array.tobytes()


def _rewrite(data: bytes, folder: Path, model: ShippedModel, **changed: object) -> list[Path]:
    """Both files with another bundle of the same network; changed: what the weights say of themselves."""
    weights = folder / model.weights
    known = {"bundle_sha256": hashlib.sha256(data).hexdigest(), **changed}
    meta = read_meta(weights).model_copy(update=known)
    return _write(read_weights(weights), meta, data, folder, model)


def _write(
    weights: Weights, meta: CheckpointMeta, data: bytes, target: Path, model: ShippedModel
) -> list[Path]:
    arrays = {name: np.ascontiguousarray(weights[name], np.float32) for name in sorted(weights)}
    paths = [target / model.bundle, target / model.weights]
    with staged_file(paths[0]) as bundle_aside, staged_file(paths[1]) as weights_aside:
        bundle_aside.write_bytes(data)
        save_file(arrays, str(weights_aside), metadata=meta.to_header())
        size = sum(each.stat().st_size for each in (bundle_aside, weights_aside))
        if size > MAX_BYTES:
            raise StageError(f"the model has {size} bytes, more than {MAX_BYTES}", "ship a smaller variant")
    return paths


def _written(given: argparse.Namespace) -> list[Path]:
    model = FAMILY[given.model]
    if given.pictures:
        return list_pictures(given.pictures, MODELS, model)
    if given.refit:
        config = given.config or CONFIGS / f"{model.name}.yml"
        return refit(given.refit, MODELS, model, load_pipeline(config).eval)
    if given.profile:
        return add_profile(given.profile, MODELS, model)
    return restate(given.restate, MODELS, model) if given.restate else ship(given.run, MODELS, model)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("run", type=Path, metavar="RUN_DIR", nargs="?")
    which.add_argument("--restate", type=Path, metavar="METRICS")
    which.add_argument("--refit", type=Path, metavar="MANIFEST")
    parser.add_argument("--config", type=Path, metavar="FILE")
    parser.add_argument("--model", choices=FAMILY, default=DEFAULT)
    which.add_argument("--profile", type=Path, metavar="MANIFEST")
    which.add_argument("--pictures", type=Path, metavar="MANIFEST")
    given = parser.parse_args()
    try:
        for path in _written(given):
            print(f"wrote {path} ({path.stat().st_size / 1e6:.2f} MB)")
    except MaskdetError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
