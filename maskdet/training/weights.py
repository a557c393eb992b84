"""Paddle's weight files, read without running anybody's pickle, and fitted to a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.errors import TrainingError
from maskdet.training.unpickler import UNREADABLE, load_plain

Weights = dict[str, NDArray[Any]]
BOX_ROWS = 32
_NAME_TABLE = "StructuredToParameterName@@"


def read_weights(path: Path) -> Weights:
    """Parameter name → array. Raises TrainingError for a missing, damaged or suspicious file."""
    try:
        with path.open("rb") as stream:
            content = load_plain(stream)
    except FileNotFoundError as error:
        raise TrainingError(f"{path} does not exist", "check model.pretrained, or train first") from error
    except UNREADABLE as error:
        raise TrainingError(
            f"{path} is not a weight file that can be trusted: {error}", "use a .pdparams file"
        ) from error
    if not isinstance(content, Mapping):
        raise TrainingError(
            f"{path} holds a {type(content).__name__}, not named weights", "use a .pdparams file"
        )
    return {name: _array(value) for name, value in content.items() if name != _NAME_TABLE}


def fit(weights: Weights, own: Weights) -> tuple[Weights, list[str]]:
    """What a network with the freshly initialised arrays `own` can take over, and the names that it cannot.

    Where a shared head predicts other classes, its box rows are taken over and its class rows stay fresh:
    such a name is in both results.
    """
    fitting = {name: weights[name] for name, fresh in own.items() if _same_shape(weights.get(name), fresh)}
    others = [name for name in own if name not in fitting]
    for name in others:
        if name in weights and _shared_head(name, own) and weights[name].shape[1:] == own[name].shape[1:]:
            fitting[name] = np.concatenate([own[name][:-BOX_ROWS], weights[name][-BOX_ROWS:]])
    return fitting, others


def _shared_head(name: str, own: Weights) -> bool:
    # PicoHead with share_cls_reg: class rows, then 4 sides x (reg_max + 1) box rows, in one layer.
    return name.startswith("head.head_cls") and "head.head_reg0.weight" not in own


def _same_shape(one: NDArray[Any] | None, other: NDArray[Any]) -> bool:
    return one is not None and one.shape == other.shape


def _array(value: Any) -> NDArray[Any]:
    # paddle.save writes a tensor as the pair (parameter name, array).
    content = value[1] if isinstance(value, tuple) and len(value) == 2 else value
    if not isinstance(content, np.ndarray):
        raise TrainingError(f"a weight is a {type(content).__name__}, not an array", "use a .pdparams file")
    return content
