"""Paddle's weight files, read without running anybody's pickle, and fitted to a network.

A .pdparams file is a pickle of parameter name → array. The unpickler here knows the handful of NumPy
constructors that such a file needs and refuses everything else, so a stranger's file cannot run code.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.errors import TrainingError

Weights = dict[str, NDArray[Any]]
_ALLOWED = {
    ("builtins", "tuple"),
    ("builtins", "dict"),
    ("collections", "OrderedDict"),
    ("_codecs", "encode"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
}
BOX_ROWS = 32
# What the unpickler and NumPy raise over damaged bytes, which may also ask for an absurd amount of memory.
_UNREADABLE = (
    pickle.UnpicklingError,
    EOFError,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    ImportError,
    LookupError,
    OverflowError,
    MemoryError,
)
_NAME_TABLE = "StructuredToParameterName@@"


def read_weights(path: Path) -> Weights:
    """Parameter name → array. Raises TrainingError for a missing, damaged or suspicious file."""
    try:
        with path.open("rb") as stream:
            content = _RestrictedUnpickler(stream).load()
    except FileNotFoundError as error:
        raise TrainingError(f"{path} does not exist", "check model.pretrained, or train first") from error
    except _UNREADABLE as error:
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


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def _array(value: Any) -> NDArray[Any]:
    # paddle.save writes a tensor as the pair (parameter name, array).
    content = value[1] if isinstance(value, tuple) and len(value) == 2 else value
    if not isinstance(content, np.ndarray) or content.dtype.kind not in "fiub":
        kind = f"array of {content.dtype}" if isinstance(content, np.ndarray) else type(content).__name__
        raise TrainingError(f"a weight is of type {kind}, not an array of numbers", "use a .pdparams file")
    return content
