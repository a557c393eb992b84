"""Registering what a run made, or any bundle, with everything that is known about where it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from maskdet.artefacts import BEST, BUNDLE, CONFIG, GATES, MANIFEST, METRICS, PARITY
from maskdet.dataset.manifest import load_manifest
from maskdet.detector.bundle import load_bundle
from maskdet.detector.catalogue import FAMILY
from maskdet.detector.shipped import shipped_as, shipped_pictures, shipped_weights
from maskdet.errors import StageError
from maskdet.pipeline.forgetting.removal import forgotten
from maskdet.pipeline.release.lineage import picture_records, run_lineage, start_of_run
from maskdet.pipeline.running.cache import inputs_of, why_stale
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages import STAGES
from maskdet.registry.pictures import inherited, read_pictures, without_likeness
from maskdet.registry.records import Lineage
from maskdet.registry.registry import Registry
from maskdet.registry.version import Version

INFER_CONFIG: Final = "infer_cfg.yml"
PIPELINE: Final = "pipeline.yml"


def register_run(
    context: Context, registry: Registry, *, name: str = "", gates: Path | None = None, by: str = ""
) -> Version:
    """Register the bundle in runs/<name>; the caller holds that folder.

    name: of the model, by default the pipeline's; gates: the report of the gates that judged it.
    Raises StageError unless the export is up to date, and like `Registry.register`.
    """
    _require_current(context)
    model = name or context.pipeline.name
    manifest = load_manifest(context.path("prepare", MANIFEST))
    own = picture_records(manifest)
    start = start_of_run(context, registry, model)
    seen = [*own, *inherited(start.pictures, own)]
    return registry.register(
        model,
        context.path("export", BUNDLE),
        run_lineage(context, manifest, start, gates),
        pictures=without_likeness(seen, forgotten(context.folder.parent)),
        files=_files_of_run(context, gates),
        by=by,
    )


def register_bundle(registry: Registry, bundle: Path, *, name: str = "", by: str = "") -> Version:
    """Register a bundle from elsewhere; for a shipped model its weights and pictures are known.

    name: of the model, by default the one in the bundle. Raises like `Registry.register`.
    """
    loaded = load_bundle(bundle)
    meta = loaded.meta
    lineage = Lineage(
        source=bundle.name, data_sha256=meta.manifest_sha256, code=meta.versions, metrics=meta.metrics
    )
    model = name or meta.name
    shipped = shipped_as(loaded.sha256)
    if shipped is None:
        return registry.register(model, bundle, lineage, by=by)
    weights, listed = shipped_weights(shipped), shipped_pictures(shipped)
    pictures = read_pictures(listed) if listed else ()
    parts = Counter(one.part for one in pictures)
    known = {
        "source": f"the shipped model {shipped}",
        "start": FAMILY[shipped].started_from,
        "pictures": dict(parts),
    }
    return registry.register(
        model,
        bundle,
        lineage.model_copy(update=known),
        pictures=pictures,
        files={weights.name: weights},
        by=by,
    )


def _require_current(context: Context) -> None:
    """What is registered must be what the pipeline file says."""
    [stage] = [stage for stage in STAGES if stage.name == "export"]
    reason = why_stale(context, stage, inputs_of(context, stage))
    if not reason and not context.path("export", BUNDLE).is_file():
        reason = "export.onnx is false"
    if reason:
        raise StageError(
            f"{context.folder} cannot be registered: export is not up to date: {reason}",
            f"run `{context.command('run')}` first",
        )


def _files_of_run(context: Context, gates: Path | None) -> Mapping[str, Path | str]:
    found = {
        METRICS: context.path("eval", METRICS),
        PARITY: context.path("export", PARITY),
        INFER_CONFIG: context.path("export", INFER_CONFIG),
        CONFIG: context.path("config", CONFIG),
        BEST: context.path("train", BEST),
        PIPELINE: context.file,
        GATES: gates,
    }
    return {name: path for name, path in found.items() if path is not None and path.is_file()}
