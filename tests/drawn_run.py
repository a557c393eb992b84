"""A small finished run without a training: real pictures and evaluation, and the records of its stages."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from support import GRID, LABELS, cell_box, paint, write_tiny_bundle

from maskdet.artefacts import BUNDLE, MANIFEST, PARITY
from maskdet.dataset.manifest import Manifest, ManifestObject, ManifestPicture, ManifestRoot, Part
from maskdet.detector.bundle import load_bundle
from maskdet.evaluation.settings import EvalSettings
from maskdet.judging.bundles import judge_bundle
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.running.cache import StageRecord, inputs_of, written
from maskdet.pipeline.running.outcome import RunResult, StageOutcome, State
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages import STAGES
from maskdet.pipeline.stages.eval import write_evaluation
from maskdet.system.files import sha256_file, write_json
from maskdet.types import Picture

HOSTILE: Final = '"><img src=x onerror=alert(1)>&.png'
_CELLS: Final = {(1, 1): LABELS[0], (4, 4): LABELS[1], (6, 2): LABELS[2]}


def context_of(
    root: Path, name: str = "drawn", sections: Mapping[str, Any] | None = None, **train: Any
) -> Context:
    """The context of runs/<name> below `root`; `sections` are further ones of the pipeline file."""
    more = {"registry": {"root": root / "models"}, **(sections or {})}
    pipeline = PipelineFile(name=name, data={"root": root / "data"}, train=train, **more)
    return Context(pipeline, root / "runs" / name, arguments=("--runs-dir", "runs"))


def draw_run(
    root: Path,
    name: str = "drawn",
    *,
    labels: dict[str, str] | None = None,
    sections: Mapping[str, Any] | None = None,
    **train: Any,
) -> Context:
    """Write data/ and runs/<name> below `root`. `labels` renames classes in annotations only: mistakes."""
    context = context_of(root, name, sections, **train)
    manifest = _draw_pictures(root / "data", labels or {})
    manifest.write(context.path("prepare", MANIFEST))
    _write_training(context.path("train"))
    context.path("export").mkdir()
    bundle = load_bundle(write_tiny_bundle(context.path("export", BUNDLE)))
    context.path("eval").mkdir()
    write_evaluation(judge_bundle(bundle, manifest, EvalSettings())[0], manifest.files, context.path("eval"))
    _write_records(context)
    return context


def up_to_date() -> RunResult:
    """What `run_stages` returns where there is nothing to do."""
    return RunResult([StageOutcome(stage.name, State.UP_TO_DATE) for stage in STAGES])


def _draw_pictures(root: Path, renamed: dict[str, str]) -> Manifest:
    (root / "JPEGImages").mkdir(parents=True, exist_ok=True)
    names: list[tuple[str, Part]] = [("one.png", "train"), ("two.png", "val"), (HOSTILE, "val")]
    pictures = tuple(_draw(root, name, part, renamed) for name, part in names)
    return Manifest(LABELS, pictures, roots=(ManifestRoot("data", root),))


def _draw(root: Path, name: str, part: Part, renamed: dict[str, str]) -> ManifestPicture:
    path = root / "JPEGImages" / name
    cells = {**_CELLS, (len(name) % 8, 7): LABELS[0]}
    Image.fromarray(_on_grey(paint(cells), zlib.crc32(name.encode()))).save(path)
    faces = [
        ManifestObject(renamed.get(label, label), cell_box(*cell))
        for cell, label in cells.items()
        if cell != (6, 2) or name != HOSTILE
    ]
    return ManifestPicture(
        f"JPEGImages/{name}", "", part, 256, 256, sha256_file(path), tuple(faces), root="data"
    )


def _on_grey(painted: Picture, seed: int) -> Picture:
    """Other greys behind the faces of each picture: no two look alike, and the model sees no face in them."""
    greys = np.random.default_rng(seed).integers(0, 200, (GRID, GRID, 1), dtype=np.uint8)
    side = painted.shape[0] // GRID
    behind = np.repeat(greys.repeat(side, 0).repeat(side, 1), 3, axis=2)
    return np.where(painted.any(axis=2, keepdims=True), painted, behind)


def _write_training(folder: Path) -> None:
    folder.mkdir(parents=True)
    losses = {"loss_vfl": 0.5, "loss_bbox": 0.3}
    ap = {"ap50": 0.6, "ap50_95": 0.4, **{f"ap50.{label}": 0.6 for label in LABELS}}
    events = [
        {"event": "start", "epochs": 2, "steps_per_epoch": 2},
        {"event": "step", "epoch": 1, "step": 1, "loss": 2.0, "losses": losses, "lr": 0.1},
        {"event": "step", "epoch": 1, "step": 2, "loss": 1.5, "losses": losses, "lr": 0.1},
        {"event": "epoch", "epoch": 1, "best": False, **ap},
        {"event": "warning", "text": "<b>one picture</b> is unreadable", "kind": "lost"},
        {"event": "epoch", "epoch": 2, "best": True, **ap, "ap50": 0.75},
    ]
    (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))


def _write_parity(path: Path, bundle: Path) -> None:
    compared = {
        "between": "trainer and ONNX Runtime",
        "batch_size": 1,
        "score_difference": 1e-6,
        "box_difference": 1e-4,
        "detections": 8,
        "matched": 8,
    }
    limits = {"pictures": 4, "score_tolerance": 0.001, "box_tolerance": 0.05}
    worst = {"score_difference": 1e-6, "box_difference": 1e-4}
    told = {"comparisons": [compared], "bundle_sha256": sha256_file(bundle)}
    write_json(path, {**limits, **worst, **told})


def _write_records(context: Context) -> None:
    split = {"data.split.method": "grouped", "data.split.seed": 0}
    inputs = {"prepare": split, "train": {"train.epochs": context.pipeline.train.epochs}}
    for stage in STAGES:
        record = StageRecord(inputs.get(stage.name, {}), True, {}, 1.5, f"the figure of {stage.name}")
        record.write(context, stage)
    for name in ("config/picodet.yml", "train/best.pdparams"):
        (context.folder / name).parent.mkdir(exist_ok=True)
        (context.folder / name).write_text("drawn: true")
    export_again(context)


def export_again(context: Context, **bundle: Any) -> None:
    """Put another bundle, as `write_tiny_bundle` makes it, into the run, as if export had just written it."""
    model = write_tiny_bundle(context.path("export", BUNDLE), **bundle)
    _write_parity(context.path("export", PARITY), model)
    stage = next(stage for stage in STAGES if stage.name == "export")
    StageRecord(inputs_of(context, stage), True, written(context, stage), 1.5, "exported").write(
        context, stage
    )
