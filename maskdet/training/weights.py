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
_NAME_TABLE = "StructuredToParameterName@@"


def read_weights(path: Path) -> Weights:
    """Parameter name → array. Raises TrainingError for a missing, damaged or suspicious file."""
    try:
        with path.open("rb") as stream:
            content = _RestrictedUnpickler(stream).load()
    except FileNotFoundError as error:
        raise TrainingError(f"{path} does not exist", "check model.pretrained, or train first") from error
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        ImportError,
        IndexError,
    ) as error:
        raise TrainingError(
            f"{path} is not a weight file that can be trusted: {error}", "use a .pdparams file"
        ) from error
    if not isinstance(content, Mapping):
        raise TrainingError(
            f"{path} holds a {type(content).__name__}, not named weights", "use a .pdparams file"
        )
    return {name: _array(value) for name, value in content.items() if name != _NAME_TABLE}


def fit(weights: Weights, shapes: Mapping[str, tuple[int, ...]]) -> tuple[Weights, list[str]]:
    """The weights whose name and shape the network has, and the names that stay as initialised."""
    fitting = {
        name: weights[name]
        for name, shape in shapes.items()
        if name in weights and weights[name].shape == shape
    }
    return fitting, [name for name in shapes if name not in fitting]


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def _array(value: Any) -> NDArray[Any]:
    # paddle.save writes a tensor as the pair (parameter name, array).
    content = value[1] if isinstance(value, tuple) and len(value) == 2 else value
    if not isinstance(content, np.ndarray):
        raise TrainingError(f"a weight is a {type(content).__name__}, not an array", "use a .pdparams file")
    return content
