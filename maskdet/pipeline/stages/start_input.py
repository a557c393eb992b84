"""The weights that training starts from as an input: by content, published and registered ones by name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from maskdet.detector.shipped import shipped_weights, ships_model
from maskdet.pipeline.running.stage import Inputs
from maskdet.registry.reference import is_reference
from maskdet.system.files import sha256_file
from maskdet.training.settings import ModelSettings
from maskdet.training.start.published import cached_file
from maskdet.training.start.registered import registered_weights
from maskdet.training.start.starting import published_start, shipped_start

NOT_FETCHED = "not fetched"
_NAME, _CONTENT = "model.pretrained", "file model.pretrained"
VERSION: Final = "model.pretrained, version"
"""The registered version that was meant when the training started. An alias that moves makes no training
stale: a champion is not trained again because it became the champion."""


def start_input(model: ModelSettings, before: Inputs, registry: Path | None = None) -> Inputs:
    """The file's hash, and how its classes are mapped. A missing file is identified by its name alone, and a
    registered version by its number; registry: its folder.

    A finished training no longer needs its published weights: without the file its hash is taken from
    `before`, the inputs recorded then.
    """
    mapped = {"model.class_map": model.class_map} if model.class_map else {}
    if is_reference(str(model.pretrained)):
        found = registered_weights(str(model.pretrained), registry)
        return {_NAME: str(model.pretrained), VERSION: found.name, **mapped}
    which = published_start(model)
    if which is None:
        return {_CONTENT: _local(model), **mapped}
    path = cached_file(which, model.variant)
    recorded = before.get(_CONTENT, NOT_FETCHED) if before.get(_NAME) == path.name else NOT_FETCHED
    content = sha256_file(path) if path.is_file() else recorded
    return {_NAME: path.name, _CONTENT: content, **mapped}


def _local(model: ModelSettings) -> str:
    shipped = shipped_start(model)
    if model.pretrained == "none" or (shipped and not ships_model(shipped)):
        return str(model.pretrained)
    path = shipped_weights(shipped) if shipped else Path(model.pretrained)
    return sha256_file(path) if path.is_file() else str(path)
