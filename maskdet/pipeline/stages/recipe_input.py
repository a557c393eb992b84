"""The PaddleDetection configuration as an input: its content, without the paths of its files."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath
from typing import Any

import yaml

from maskdet.errors import StageError
from maskdet.pipeline.running.stage import Context, Inputs

RECIPE = "config/picodet.yml"


def recipe_input(context: Context) -> Inputs:
    """The configuration's content by hash. A moved project does not have to train again.

    Raises StageError if it is missing or damaged.
    """
    path = context.folder / RECIPE
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StageError(f"{path} is missing", f"run `{context.command('config')}` first") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StageError(
            f"{path} is damaged: {error}", f"run `{context.command('config', '--force')}`"
        ) from error
    text = json.dumps(_placeless(document, _places(document)), sort_keys=True)
    return {f"file {RECIPE}": hashlib.sha256(text.encode()).hexdigest()}


def _places(document: Any) -> dict[str, str]:
    """Where its files were when it was written, which may be before the project was moved."""
    section = document.get("TrainDataset") if isinstance(document, dict) else None
    if not isinstance(section, dict):
        return {}
    data, listed = section.get("dataset_dir"), section.get("anno_path")
    return {str(data): "<data>", str(PurePosixPath(str(listed)).parent): "<prepare>"}


def _placeless(value: Any, places: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {str(key): _placeless(inner, places) for key, inner in value.items()}
    if isinstance(value, list):
        return [_placeless(inner, places) for inner in value]
    if isinstance(value, str):
        for place, name in places.items():
            if value == place or value.startswith(f"{place}/"):
                return name + value[len(place) :]
    return value
