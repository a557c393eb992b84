"""The rehearsal of a long training: two steps through train, eval, export and ONNX before hours are spent.

It takes the most crowded pictures, at the recipe's largest size, so that it needs as much memory as the
training will.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import replace
from typing import Any

from maskdet.artefacts import CONFIG, MANIFEST
from maskdet.dataset.manifest import Manifest, ManifestPicture, load_manifest
from maskdet.errors import MaskdetError
from maskdet.pipeline.running.stage import Context, Event, ignore
from maskdet.pipeline.stages.eval import STAGE as EVAL
from maskdet.pipeline.stages.export import STAGE as EXPORT
from maskdet.progress import silent
from maskdet.system.files import write_json
from maskdet.system.times import duration
from maskdet.training.launch.disk_space import space_for
from maskdet.training.recipe.recipe import build_recipe
from maskdet.training.recipe.sampling import repeat_factors, steps_per_epoch
from maskdet.training.start.knowledge import knows_classes
from maskdet.training.train import TrainJob, train

RECORD = "rehearsal.json"
FOLDER = "rehearsal"
LONG = 20_000
"""Training length, in pictures, from which it is rehearsed: a quarter of an hour on two cores."""
_STEPS = 2
_VAL_PICTURES = 4


def rehearse(context: Context, job: TrainJob) -> None:
    """Rehearse `job` if the settings ask for it and it was not rehearsed before; report what it will take.

    Raises what the training, its evaluation or export would have raised later.
    """
    if not _wanted(context, job) or _record(context).get("fingerprint") == _fingerprint(context, job):
        return
    context.say("rehearsing two steps, evaluation, export and ONNX (train.preflight: false skips this)")
    began = time.monotonic()
    stopwatch = _Stopwatch()
    try:
        _go_through(context, stopwatch)
    except MaskdetError as error:
        error.what = f"in the rehearsal: {error.what}"
        raise
    needed = _room(context)
    shutil.rmtree(context.path(FOLDER))
    write_json(context.folder / RECORD, {"fingerprint": _fingerprint(context, job), **stopwatch.measured()})
    context.say(
        f"rehearsal passed in {duration(time.monotonic() - began)}: {_estimate(job, stopwatch, needed)}"
    )


def _wanted(context: Context, job: TrainJob) -> bool:
    wanted = context.pipeline.train.preflight
    if wanted != "auto":
        return wanted
    return _steps(job) * job.settings.batch_size >= LONG


def _steps(job: TrainJob) -> int:
    """Steps of the whole training."""
    factors = repeat_factors(load_manifest(job.manifest), job.settings.balance)
    return steps_per_epoch(factors, job.settings.batch_size) * job.settings.epochs


def _go_through(context: Context, stopwatch: _Stopwatch) -> None:

    small = _prepare(context)
    train(
        TrainJob(
            config=small.path("config", CONFIG),
            manifest=small.path("prepare", MANIFEST),
            out=small.path("train"),
            settings=small.pipeline.train,
            model=small.pipeline.model,
            registry=small.pipeline.registry.root,
        ),
        on_event=stopwatch,
    )
    for stage in (EVAL, EXPORT):
        out = small.path(stage.name)
        out.mkdir()
        stage.run(small, out)


def _prepare(context: Context) -> Context:
    """The same pipeline with few pictures and one epoch of two steps, in a separate folder."""
    folder = context.path(FOLDER)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "prepare").mkdir(parents=True)
    few = {"epochs": 1, "balance": 0.0, "max_hours": None, "patience": 0}
    # Each machine by itself, with its share of a step: the others may have rehearsed before.
    whole = context.pipeline.train
    alone = {"nodes": 1, "master": None, "batch_size": max(1, whole.batch_size // whole.nodes)}
    settings = whole.model_copy(update={**few, **alone})
    manifest = _crowded(load_manifest(context.path("prepare", MANIFEST)), settings.batch_size * _STEPS)
    manifest.write(folder / "prepare" / MANIFEST)
    recipe = build_recipe(
        context.pipeline.model,
        settings,
        manifest,
        prepare_dir=folder / "prepare",
        fine_tunes=knows_classes(
            context.pipeline.model, manifest.labels, manifest.roles, context.pipeline.registry.root
        ),
    )
    _enlarge(recipe.document)
    (folder / "config").mkdir()
    recipe.write(folder / "config")
    pipeline = context.pipeline.model_copy(update={"train": settings})
    return replace(context, pipeline=pipeline, folder=folder, track=silent, on_event=ignore, resume=False)


def _crowded(manifest: Manifest, count: int) -> Manifest:
    """The pictures with the most faces: `count` of train, or fewer but shown again, and a few of val."""
    train = sorted(manifest.part("train"), key=lambda picture: -len(picture.objects))[:count]
    # The weights of the data's roots are for a whole epoch: with small ones these few would fill no step.
    roots = tuple(replace(root, weight=-(-count // len(train))) for root in manifest.roots)
    # Those of val by the faces that count: without any there is nothing to evaluate.
    val = sorted(manifest.part("val"), key=_most_counting)[:_VAL_PICTURES]
    return replace(manifest, pictures=(*train, *val), roots=roots)


def _most_counting(picture: ManifestPicture) -> int:
    return -sum(not face.difficult for face in picture.objects)


def _enlarge(document: dict[str, Any]) -> None:
    for transform in document["TrainReader"]["batch_transforms"]:
        for settings in transform.values():
            if isinstance(settings.get("target_size"), list):
                settings["target_size"] = [max(settings["target_size"])]


def _room(context: Context) -> int:
    """Bytes for a training's files, including temporary ones during writing.

    Raises TrainingError if the disk has less.
    """
    needed = 2 * sum(path.stat().st_size for path in context.path(FOLDER, "train").iterdir())
    with space_for(context.folder, needed):
        return needed


class _Stopwatch:
    """Seconds per step after the first, which includes warm-up; memory of all workers."""

    def __init__(self) -> None:
        self._at: list[tuple[int, float]] = []
        self._workers, self.memory_mb = 1, 0

    def __call__(self, event: Event) -> None:
        if event["event"] == "start":
            self._workers = event["workers"]
        elif event["event"] == "step":
            self._at.append((event["step"], time.monotonic()))
            self.memory_mb = max(self.memory_mb, event["memory_mb"] * self._workers)

    @property
    def step_seconds(self) -> float:
        (before, began), (last, ended) = self._at[-2:]
        return (ended - began) / (last - before)

    def measured(self) -> dict[str, float]:
        return {"step_seconds": round(self.step_seconds, 3), "memory_mb": self.memory_mb}


def _estimate(job: TrainJob, stopwatch: _Stopwatch, needed: int) -> str:
    steps = _steps(job)
    return (
        f"{steps} steps will take about {duration(steps * stopwatch.step_seconds)} plus evaluations, "
        f"{stopwatch.memory_mb / 1024:.1f} GB of memory and {needed / 2**20:.0f} MB of disk"
    )


def _record(context: Context) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads((context.folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record


def _fingerprint(context: Context, job: TrainJob) -> str:
    settings = context.pipeline.train
    parts = [
        job.fingerprint(),
        context.pipeline.export.model_dump(mode="json"),
        [settings.device, settings.workers, str(settings.python)],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
