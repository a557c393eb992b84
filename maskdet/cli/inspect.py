"""`maskdet inspect`: all that is inside a bundle, or what another ONNX file seems to be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskdet.cli.options import SHIPPED, RegistryFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def inspect(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help=f"An .onnx, a results folder, models:NAME@ALIAS, or {SHIPPED}.",
        ),
    ],
    registry: RegistryFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what is inside a model file.

    Of a bundle: classes, thresholds, figures, lineage, graph. Of any other ONNX file: what it seems to be,
    and the next step.
    """
    from maskdet.cli.console import print_lines
    from maskdet.cli.models.options import open_registry
    from maskdet.export.inspection import inspect_file
    from maskdet.pipeline.references.models import existing_model
    from maskdet.system.files import json_text

    found = inspect_file(existing_model(file, open_registry(None, registry)))
    print_lines(json_text(found).splitlines() if as_json else _lines(found))


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['file']}: {found['kind']}"
    yield from (_bundle_lines if found["bundle"] else _foreign_lines)(found)
    yield f"  size: {found['bytes']:,} bytes, sha256 {found['sha256']}"
    graph = found["graph"]
    yield f"  inputs: {_tensors(graph['inputs'])}"
    yield f"  outputs: {_tensors(graph['outputs'])}"
    maker = graph["producer"] or "unknown"
    yield f"  opset: {graph['opset']}, {graph['operators']} operators, made by {maker}"
    if not found["bundle"]:
        yield f"next: {found['next']}"


def _bundle_lines(found: Mapping[str, Any]) -> Iterator[str]:
    meta = found["bundle"]
    for label in meta["labels"]:
        role, threshold = meta["roles"].get(label, "no role"), meta["thresholds"][label]
        yield f"  class {label}: {role}, counts from {threshold:.3g}"
    yield f"  thresholds: {found['thresholds']}"
    nms = meta["nms"]
    yield (
        f"  NMS: from score {nms['score_threshold']:.3g}, IoU {nms['iou_threshold']:.3g}, "
        f"{nms['top_k']} candidates per class, {nms['keep']} detections"
    )
    height, width = meta["input_size"]
    pixels = f"resized {meta['interpolation']}, mean {meta['mean']}, std {meta['std']}"
    yield f"  input: {width}x{height}, {pixels}"
    profile = meta["profile"]
    yield f"  data: manifest {meta['manifest_sha256'][:12] or 'unknown'}; " + (
        f"profile of {profile['pictures']} val pictures" if profile else "no profile"
    )
    figures = (f"{name} {value:.4g}" for name, value in meta["metrics"].items() if "." not in name)
    yield f"  figures: {', '.join(figures) or 'none'}"
    versions = (f"{name} {value}" for name, value in meta["versions"].items())
    yield f"  versions: {', '.join(versions) or 'unknown'}"
    yield f"  licence: {meta['licence']}"


def _foreign_lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"  because: {found['why']}"
    if found["labels"]:
        yield f"  classes: {', '.join(found['labels'])}"
    for key, value in found["metadata"].items():
        yield f"  metadata {key}: {value if len(value) <= 100 else value[:100] + ' ...'}"


def _tensors(tensors: list[Mapping[str, Any]]) -> str:
    return "; ".join(f"{each['name']} {each['type']} {each['shape']}" for each in tensors)
