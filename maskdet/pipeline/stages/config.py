"""config: write the whole PaddleDetection configuration that follows from the pipeline file and the data."""

from __future__ import annotations

from pathlib import Path

from maskdet.artefacts import MANIFEST
from maskdet.dataset.learnt import learnt_labels, told_roles
from maskdet.pipeline.running.inputs import setting_inputs
from maskdet.pipeline.running.stage import Context, Inputs, Stage
from maskdet.pipeline.stages.manifest_input import manifest_input
from maskdet.training.start.knowledge import knows_classes

START_SETTINGS = frozenset({"pretrained", "class_map"})
"""Settings of the starting weights. Training has their content as an input; the configuration depends only on
whether they know all classes."""
SPEED_SETTINGS = frozenset(
    {"device", "workers", "python", "cache_mb", "preflight", "max_hours", "nodes", "master"}
)
"""Where, how fast and how long training runs. The total batch is the same on any device, so weights trained
on a GPU are not trained again because the next command runs on a CPU."""


def _inputs(context: Context) -> Inputs:
    return {
        **setting_inputs("model", context.pipeline.model, exclude=START_SETTINGS),
        **setting_inputs("train", context.pipeline.train, exclude=SPEED_SETTINGS),
        **manifest_input(context),
        "the start knows all classes": _fine_tunes(context),
        "data.root": str(context.pipeline.data.folder),
        "results folder": str(context.folder),
    }


def _fine_tunes(context: Context) -> bool:
    manifest = context.path("prepare", MANIFEST)
    pipeline = context.pipeline
    return knows_classes(
        pipeline.model, learnt_labels(manifest), told_roles(manifest), pipeline.registry.root
    )


def _run(context: Context, out: Path) -> str:
    from maskdet.dataset.manifest import load_manifest
    from maskdet.training.recipe.recipe import build_recipe

    pipeline = context.pipeline
    recipe = build_recipe(
        pipeline.model,
        pipeline.train,
        load_manifest(context.path("prepare", MANIFEST)),
        prepare_dir=context.path("prepare"),
        fine_tunes=_fine_tunes(context),
    )
    recipe.write(out)
    rate = recipe.document["LearningRate"]["base_lr"]
    return f"{pipeline.model.variant}, learning rate {rate:g}, batch {pipeline.train.batch_size}"


STAGE = Stage("config", _inputs, _run, version=2)
