"""The model file behind a name: a registered one, a shipped one, what a pipeline exported, or the file."""

from __future__ import annotations

from pathlib import Path

from maskdet.detector.catalogue import DEFAULT, FAMILY
from maskdet.detector.shipped import naming_hint, shipped_model, ships_model
from maskdet.errors import StageError, UsageError
from maskdet.pipeline.places import EXPORTED, RUNS
from maskdet.pipeline.references.wrapped import wrapped_folder
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.session import open_present
from maskdet.registry.reference import is_reference
from maskdet.registry.registry import Registry


def model_file(named: Path, registry: Registry | None = None) -> Path:
    """models:NAME@ALIAS: the registered version; a name of the catalogue, such as `default`: the shipped
    model; a folder, such as runs/NAME: the bundle in it, or that of PaddleDetection's export in it; else the
    path itself. Without a `registry`, that of the current directory.

    Raises RegistryError for a reference that leads nowhere or to a changed file, EnvironmentProblem if this
    build lacks the shipped model, StageError for a folder without a bundle, and as `wrapped_folder`.
    """
    if is_reference(named):
        return (registry or present_registry()).resolve(str(named)).checked_bundle()
    if str(named) in FAMILY:
        return shipped_model(str(named))
    return _exported(named) if named.is_dir() else named


def existing_model(named: Path, registry: Registry | None = None) -> Path:
    """Like `model_file`. Raises UsageError if there is no such file."""
    file = model_file(named, registry)
    if not file.is_file():
        others = "an exported .onnx, a results folder such as runs/NAME, models:NAME@champion"
        raise UsageError(f"{file}: no such model", naming_hint(named.name, others))
    return file


def model_of(context: Context, named: Path | None) -> Path:
    """The named model, or the one that the pipeline exported. Raises StageError if it is missing."""
    if named is not None:
        return existing_model(named, registry_of(context))
    exported = context.folder / EXPORTED
    if not exported.is_file():
        other = (
            f"`--model {DEFAULT}` uses the shipped one" if ships_model() else "choose another with --model"
        )
        raise StageError(f"{exported} is missing", f"`{context.command('run')}` creates it, or {other}")
    return exported


def registry_of(context: Context) -> Registry:
    """The registry of a pipeline."""
    return Registry(context.pipeline.registry.root)


def present_registry() -> Registry:
    """The registry of the environment, else of ./pipeline.yml, else ./models."""
    return registry_of(open_present(None, (), RUNS))


def _exported(folder: Path) -> Path:
    wrapped = wrapped_folder(folder)
    if wrapped is not None:
        return wrapped
    for place in (EXPORTED, Path(EXPORTED.name)):
        if (folder / place).is_file():
            return folder / place
    raise StageError(
        f"{folder} holds no exported model: {folder / EXPORTED} is missing",
        "`maskdet run` or `maskdet export` creates it; a folder of PaddleDetection's holds infer_cfg.yml and "
        "the model; for other folders pass the .onnx file",
    )
