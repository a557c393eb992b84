"""All that a model file says, in plain JSON types."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path
from typing import Any

from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.model_formats import refuse_other_formats
from maskdet.detector.runtime.onnx_runtime import OnnxSession
from maskdet.errors import BundleError
from maskdet.export.message import Facts, facts_of, holds_meta
from maskdet.export.wrapping.recognition import Seen, guess


def inspect_file(path: Path) -> dict[str, Any]:
    """`bundle` is its metadata, None for another ONNX file, which has `why`, `labels`, `metadata` and `next`
    instead. Raises BundleError for a file that is no ONNX model, or a damaged bundle.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror or error}", "pass the path of an .onnx file") from error
    refuse_other_formats(path, content)
    if holds_meta(content):
        return _of_bundle(load_bundle(path))
    try:
        facts, session = facts_of(content), OnnxSession(content, threads=1)
    except BundleError as error:
        raise BundleError(f"{path}: {error.what}", "pass an .onnx file that ONNX Runtime can load") from error
    found = guess(Seen.of(session, facts))
    return {
        **_of_file(path, content, session, facts),
        "kind": found.family,
        "bundle": None,
        "why": found.why,
        "labels": list(found.labels),
        "metadata": facts.metadata,
        "next": found.next_step.replace("FILE", shlex.quote(str(path)), 1),
    }


def _of_bundle(bundle: Bundle) -> dict[str, Any]:
    facts, meta = facts_of(bundle.model), bundle.meta
    return {
        **_of_file(bundle.path, bundle.model, bundle.session, facts),
        "kind": f"maskdet bundle {meta.name}, {meta.variant}",
        "bundle": meta.model_dump(mode="json"),
        "thresholds": meta.describe_thresholds(),
    }


def _of_file(path: Path, content: bytes, session: OnnxSession, facts: Facts) -> dict[str, Any]:
    return {
        "file": str(path),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "graph": {
            "inputs": _tensors(session.inputs),
            "outputs": _tensors(session.outputs),
            "opset": facts.opset,
            "operators": sum(facts.operators.values()),
            "producer": facts.producer,
        },
    }


def _tensors(tensors: dict[str, tuple[str, list[Any]]]) -> list[dict[str, Any]]:
    return [{"name": name, "type": kind, "shape": shape} for name, (kind, shape) in tensors.items()]
