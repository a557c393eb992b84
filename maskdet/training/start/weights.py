"""Weight files, read without executing pickles, and fitted to a network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from maskdet.errors import TrainingError
from maskdet.training.start.architecture import BOX_ROWS, shares_box_rows
from maskdet.training.start.unpickler import UNREADABLE, load_plain

Weights = dict[str, NDArray[Any]]
Places = Sequence[int | None]
"""For each class of a network the file's class that it starts from, None for a fresh one."""
_NAME_TABLE = "StructuredToParameterName@@"
_STATE_PREFIX = "network/"
# PicoHeadV2 has its layers twice, as head_cls0 and as head_cls_list.0; before ppdet 2.5 only once.
_CLASS_LAYER = re.compile(r"head\.head_cls(_list\.)?\d+\.(weight|bias)")
_LISTED_LAYER = re.compile(r"(head\.head_(?:cls|reg))_list\.")


def read_weights(path: Path) -> Weights:
    """Parameter name → array, float32, of a .pdparams or a .safetensors file.

    Raises TrainingError for a missing, damaged or suspicious file, and for weights that are integers.
    """
    try:
        content = _read(path)
    except FileNotFoundError as error:
        raise TrainingError(f"{path} does not exist", "check model.pretrained, or train first") from error
    except (*UNREADABLE, SafetensorError) as error:
        raise TrainingError(
            f"{path} is not a weight file that can be trusted: {error}",
            "use a .pdparams or .safetensors file",
        ) from error
    if not isinstance(content, Mapping):
        raise TrainingError(
            f"{path} contains a {type(content).__name__}, not named weights", "use a .pdparams file"
        )
    if any(str(name).startswith(_STATE_PREFIX) for name in content):
        raise TrainingError(
            f"{path} is the state of a training, not a checkpoint",
            "use best.pdparams or last.pdparams beside it",
        )
    return {
        name: _in_float32(path, name, _array(value)) for name, value in content.items() if name != _NAME_TABLE
    }


def fit(weights: Weights, own: Weights, places: Places | None = None) -> tuple[Weights, list[str]]:
    """What a network with the freshly initialised arrays `own` can take over, and the names it cannot.

    Without `places` classes are taken over only if the counts match, in order. A layer with some rows taken
    over and others fresh is in both results.
    """
    fitting: Weights = {}
    fresh: list[str] = []
    for name, initial in own.items():
        value = weights.get(name, weights.get(_LISTED_LAYER.sub(r"\1", name)))
        if value is not None and is_class_layer(name) and shares_box_rows(weights) == shares_box_rows(own):
            value, whole = _mixed(value, initial, BOX_ROWS if shares_box_rows(own) else 0, places)
        else:
            whole = value is not None and value.shape == initial.shape
        if value is not None and value.shape == initial.shape:
            fitting[name] = value
        if not whole:
            fresh.append(name)
    return fitting, fresh


def is_class_layer(name: str) -> bool:
    """Whether a layer's rows are classes (and, in a shared head, box sides after them)."""
    return _CLASS_LAYER.fullmatch(name) is not None


def _mixed(
    value: NDArray[Any], initial: NDArray[Any], boxes: int, places: Places | None
) -> tuple[NDArray[Any] | None, bool]:
    """The layer with the rows taken over, None if there are none, and whether it is complete."""
    if value.shape[1:] != initial.shape[1:] or value.ndim != initial.ndim or len(value) < boxes:
        return None, False
    classes, known = len(initial) - boxes, len(value) - boxes
    if places is None:
        places = list(range(classes)) if known == classes else [None] * classes
    taken = {place: row for place, row in enumerate(places) if row is not None}
    if not taken and not boxes:
        return None, False
    mixed = initial.copy()
    mixed[classes:] = value[known:]
    for place, row in taken.items():
        mixed[place] = value[row]
    return mixed, len(taken) == classes


def _read(path: Path) -> Any:
    if path.suffix == ".safetensors":
        return load(path.read_bytes())
    with path.open("rb") as stream:
        return load_plain(stream)


def _array(value: Any) -> NDArray[Any]:
    # paddle.save writes a tensor as the pair (parameter name, array).
    content = value[1] if isinstance(value, tuple) and len(value) == 2 else value
    if not isinstance(content, np.ndarray):
        raise TrainingError(f"a weight is a {type(content).__name__}, not an array", "use a .pdparams file")
    return content


def _in_float32(path: Path, name: str, value: NDArray[Any]) -> NDArray[np.float32]:
    """Files may be of half or double precision, and Paddle takes over only what the network has."""
    if not np.issubdtype(value.dtype, np.floating):
        raise TrainingError(
            f"{path}: {name} is of {value.dtype}, not of floating-point numbers",
            "use the weights from before their quantisation",
        )
    return value.astype(np.float32, copy=False)
