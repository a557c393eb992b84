"""The bundle: one ONNX file that holds the model and everything needed to run it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from maskdet.detector.model_formats import refuse_other_formats
from maskdet.detector.runtime.onnx_runtime import OnnxSession
from maskdet.detector.settings import METADATA_KEY, BundleMeta
from maskdet.errors import BundleError

_EXPORT_HINT = "make a bundle with `maskdet export`, and pass the path of its .onnx file"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle in memory; the file is not read again.

    session: the one that it was checked with, on one CPU thread; creating another takes a while.
    """

    path: Path
    sha256: str
    meta: BundleMeta
    model: bytes = field(repr=False)
    session: OnnxSession = field(repr=False, compare=False)


def load_bundle(path: Path) -> Bundle:
    """Read a bundle and check its metadata and its graph. Raises BundleError."""
    try:
        model = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror or error}", _EXPORT_HINT) from error
    refuse_other_formats(path, model)
    try:
        session = OnnxSession(model, threads=1)
        meta = _read_meta(session.metadata)
        _check_graph(session, meta)
    except BundleError as error:
        raise BundleError(f"{path}: {error.what}", error.hint) from error
    return Bundle(path, hashlib.sha256(model).hexdigest(), meta, model, session)


def _read_meta(metadata: dict[str, str]) -> BundleMeta:
    text = metadata.get(METADATA_KEY)
    if text is None:
        raise BundleError(
            "this ONNX model holds no maskdet metadata",
            "`maskdet inspect FILE` says what it seems to be; `maskdet bundle FILE` wraps PaddleDetection's "
            "exports, `maskdet export` makes a bundle of a training",
        )
    try:
        values = json.loads(text)
    except ValueError as error:
        raise BundleError(f"the maskdet metadata is not JSON: {error}", _EXPORT_HINT) from error
    _check_format(values)
    try:
        meta = BundleMeta.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise BundleError(f"the maskdet metadata is wrong at {key}: {first['msg']}", _EXPORT_HINT) from error
    _check_thresholds(meta)
    return meta


def _check_format(values: Any) -> None:
    written = values.get("format", _FORMAT) if isinstance(values, dict) else None
    if written != _FORMAT:
        raise BundleError(
            f"the bundle has format {written}, this maskdet reads {_FORMAT}",
            "use the maskdet release that wrote it, or export the model again",
        )


def _check_thresholds(meta: BundleMeta) -> None:
    if not meta.labels or len(set(meta.labels)) != len(meta.labels):
        raise BundleError(f"the labels {list(meta.labels)} are empty or contain duplicates", _EXPORT_HINT)
    if set(meta.thresholds) != set(meta.labels):
        raise BundleError(
            f"thresholds are given for {sorted(meta.thresholds)}, the labels are {sorted(meta.labels)}",
            _EXPORT_HINT,
        )
    if meta.profile is not None and not meta.profile.fits(len(meta.labels)):
        raise BundleError(f"the profile is not that of a model with {len(meta.labels)} labels", _EXPORT_HINT)


def _check_graph(session: OnnxSession, meta: BundleMeta) -> None:
    """Check the graph against BundleMeta's docstring; a free dimension fits any number."""
    height, width = meta.input_size
    if set(session.inputs) != {"image"} or not {"boxes", "scores"} <= set(session.outputs):
        names = f"{', '.join(session.inputs)} to {', '.join(session.outputs)}"
        raise BundleError(f"the graph goes from {names}, not from image to boxes, scores", _EXPORT_HINT)
    _check_tensor("image", session.inputs["image"], "tensor(uint8)", [None, height, width, 3])
    _check_tensor("boxes", session.outputs["boxes"], "tensor(float)", [None, None, 4])
    _check_tensor("scores", session.outputs["scores"], "tensor(float)", [None, None, len(meta.labels)])
    if isinstance(session.inputs["image"][1][0], int):
        raise BundleError("the graph takes batches of one fixed size only", _EXPORT_HINT)


def _check_tensor(name: str, found: tuple[str, list[Any]], kind: str, shape: list[int | None]) -> None:
    found_kind, found_shape = found
    fits = len(found_shape) == len(shape) and all(
        want is None or not isinstance(have, int) or have == want
        for have, want in zip(found_shape, shape, strict=True)
    )
    if found_kind != kind or not fits:
        want_shape = ["N" if size is None else size for size in shape]
        raise BundleError(f"{name} is {found_kind} {found_shape}, not {kind} {want_shape}", _EXPORT_HINT)
