"""The verb `bundle`: an exported PicoDet becomes a bundle, if its answers stay the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from maskdet import __version__
from maskdet.detector.bundle import load_bundle
from maskdet.detector.settings import BundleMeta, NmsSettings
from maskdet.errors import ExportError, UsageError
from maskdet.export.assembly import assemble
from maskdet.export.rewriting import rewrite
from maskdet.export.wrapping.conversion import onnx_of
from maskdet.export.wrapping.forms import Export, expose, recognise
from maskdet.export.wrapping.graph import free_batch
from maskdet.export.wrapping.infer_config import InferConfig, read_infer_config
from maskdet.export.wrapping.original import Original
from maskdet.export.wrapping.pictures import proof_pictures
from maskdet.export.wrapping.proof import Proof, prove
from maskdet.export.wrapping.sources import ForeignModel
from maskdet.system.files import staged_file
from maskdet.wording.lexicon import Role, label_roles, unknown_roles

LICENCE = "not stated"
_MOST_ASKED = 5


@dataclass(frozen=True, slots=True)
class WrapJob:
    """What to wrap and what to write into the bundle beyond what infer_cfg.yml says.

    `labels` replaces its label_list; `roles` by label, None for a class that is no face; `threshold` replaces
    its draw_threshold; `pictures` is a folder or a file for the proof; `python` has paddle2onnx, for a model
    in Paddle's own format.
    """

    source: ForeignModel
    name: str
    labels: tuple[str, ...] = ()
    roles: Mapping[str, Role | None] = field(default_factory=dict)
    threshold: float | None = None
    licence: str = LICENCE
    pictures: Path | None = None
    python: Path | None = None


@dataclass(frozen=True, slots=True)
class WrapSummary:
    """The form of the export, the proof, and what the bundle says of itself."""

    export: Export
    proof: Proof
    meta: BundleMeta


def wrap(job: WrapJob, out: Path) -> WrapSummary:
    """Write the bundle to `out`, after the proof.

    Raises ExportError for a model that no bundle can hold or that does not give the same answers, UsageError
    for a class whose role is unknown, EnvironmentProblem if Paddle is needed and missing.
    """
    config = read_infer_config(job.source.infer_config)
    model = onnx_of(job.source, job.python)
    export = recognise(model)
    original = Original(model, export, config.input_size)
    meta = _meta(job, config, export, _labels(job, config, original))
    expose(model, export, config)
    free_batch(model.graph, export.image)
    rewrite(model.graph, _opset(model))
    with staged_file(out) as aside:
        aside.write_bytes(_assembled(model, meta).SerializeToString())
        bundle = load_bundle(aside)
        proof = prove(bundle, original, config, proof_pictures(job.pictures))
        proof.require()
    return WrapSummary(export, proof, meta)


def _labels(job: WrapJob, config: InferConfig, original: Original) -> tuple[str, ...]:
    """As many as the model has classes. Without a label list of its own, PaddleDetection's exporter writes
    the 20 classes of VOC or the 80 of COCO.
    """
    labels, classes = job.labels or config.labels, original.classes(config.input_size)
    if len(labels) != classes:
        where = "--labels" if job.labels else config.path
        more = " ..." if len(labels) > _MOST_ASKED else ""
        raise UsageError(
            f"the model has {classes} classes, {where} names {len(labels)}: "
            f"{', '.join(labels[:_MOST_ASKED]) or 'none'}{more}",
            "name them in the order of training, as in label_list.txt, with --labels A,B,C",
        )
    return labels


def _meta(job: WrapJob, config: InferConfig, export: Export, labels: tuple[str, ...]) -> BundleMeta:
    nms, own = export.inside or config.nms, NmsSettings()
    height, width = config.input_size
    return BundleMeta(
        name=job.name,
        variant=f"picodet_{width}" if height == width else f"picodet_{height}x{width}",
        labels=labels,
        roles=_roles(labels, job.roles),
        input_size=config.input_size,
        interpolation=config.interpolation,
        mean=config.mean,
        std=config.std,
        nms=NmsSettings(
            score_threshold=min(nms.score_threshold, own.score_threshold),
            iou_threshold=nms.iou_threshold,
            top_k=nms.top_k,
            keep=config.nms.keep,
        ),
        thresholds=dict.fromkeys(labels, config.draw_threshold if job.threshold is None else job.threshold),
        versions={"maskdet": __version__, "onnx": onnx.__version__},
        licence=job.licence,
    )


def _roles(labels: tuple[str, ...], given: Mapping[str, Role | None]) -> dict[str, Role]:
    for label in given:
        if label not in labels:
            raise UsageError(f"--role: the model has no class {label!r}", f"it has {', '.join(labels)}")
    roles = label_roles(labels, {label: role for label, role in given.items() if role is not None})
    roles = {label: role for label, role in roles.items() if given.get(label, role) is not None}
    asked = [label for label in unknown_roles(labels, roles) if label not in given]
    if asked:
        more = f" and {len(asked) - _MOST_ASKED} more" if len(asked) > _MOST_ASKED else ""
        raise UsageError(
            "are these faces masked, bare or worn-wrong? Their names do not tell: "
            f"{', '.join(map(repr, asked[:_MOST_ASKED]))}{more}",
            f"answer for each: --role {asked[0]}=masked, =bare, =worn-wrong, or =none if it is not a face",
        )
    return roles


def _assembled(model: onnx.ModelProto, meta: BundleMeta) -> onnx.ModelProto:
    try:
        return assemble(model, meta)
    except onnx.checker.ValidationError as error:
        raise ExportError(f"the graph is not valid ONNX: {error}", "convert it again") from error


def _opset(model: onnx.ModelProto) -> int:
    return next((int(each.version) for each in model.opset_import if each.domain in {"", "ai.onnx"}), 0)
