"""The model file behind a name: the shipped one, what a pipeline exported, or the file itself."""

from __future__ import annotations

from pathlib import Path

from maskdet.detector.shipped import DEFAULT, shipped_model, ships_model
from maskdet.errors import StageError, UsageError
from maskdet.pipeline.places import EXPORTED
from maskdet.pipeline.stage import Context


def model_file(named: Path) -> Path:
    """`default`: the shipped model; a folder, such as runs/NAME: the bundle in it; else the path itself.

    Raises EnvironmentProblem if no model is shipped, StageError for a folder without a bundle.
    """
    if str(named) == DEFAULT:
        return shipped_model()
    return _exported(named) if named.is_dir() else named


def existing_model(named: Path) -> Path:
    """Like `model_file`. Raises UsageError if there is no such file."""
    file = model_file(named)
    if not file.is_file():
        raise UsageError(
            f"{file}: no such model",
            f"name an exported .onnx, a results folder such as runs/NAME, or {DEFAULT}, the shipped one",
        )
    return file


def model_of(context: Context, named: Path | None) -> Path:
    """The named model, or the one that the pipeline exported. Raises StageError if it is missing."""
    if named is not None:
        return existing_model(named)
    exported = context.folder / EXPORTED
    if not exported.is_file():
        other = (
            f"`--model {DEFAULT}` uses the shipped one" if ships_model() else "choose another with --model"
        )
        raise StageError(f"{exported} is missing", f"`{context.command('run')}` creates it, or {other}")
    return exported


def _exported(folder: Path) -> Path:
    for place in (EXPORTED, Path(EXPORTED.name)):
        if (folder / place).is_file():
            return folder / place
    raise StageError(
        f"{folder} holds no exported model: {folder / EXPORTED} is missing",
        "`maskdet run` or `maskdet export` creates it; for other folders pass the .onnx file",
    )
