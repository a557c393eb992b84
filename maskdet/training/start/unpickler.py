"""Reads the pickle inside a .pdparams file into plain values, without running anything in it.

NumPy's own constructors are not safe to offer: a crafted state changes the shared dtype objects of the
process. So the few names that such a file needs are mapped to inert records that become arrays here.
"""

from __future__ import annotations

import pickle
import re
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

UNREADABLE = (
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
"""What damaged bytes raise; a damaged length also requests an absurd amount of memory."""
_NUMBERS = re.compile(r"[fiu][1248]|b1")


def load_plain(stream: IO[bytes]) -> Any:
    """The content: dict, tuple, list, text, numbers and arrays of numbers. Raises one of UNREADABLE."""
    return _plain(_Unpickler(stream).load())


class StoredType:
    """A dtype as a file spells it, such as f4 and "<"."""

    __slots__ = ("_order", "_text")

    def __init__(self, text: Any, *rest: Any) -> None:
        del rest
        self._text, self._order = text, "="

    def __setstate__(self, state: Any) -> None:
        self._order = state[1]

    def dtype(self) -> np.dtype[Any]:
        if not isinstance(self._text, str) or not _NUMBERS.fullmatch(self._text):
            raise pickle.UnpicklingError(f"it contains an array of type {self._text!r}, not of numbers")
        if self._order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError(f"it contains an array with byte order {self._order!r}")
        return np.dtype(f"{self._order}{self._text}")


class StoredArray:
    """An array as stored in the file: shape, type, order and bytes, none of them checked yet."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: Any) -> None:
        self._parts = parts

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, content = state
        self._parts = content, kind, shape, "F" if fortran else "C"

    def array(self) -> NDArray[Any]:
        content, kind, shape, order = self._parts
        if not isinstance(kind, StoredType) or not isinstance(content, (bytes, bytearray)):
            raise pickle.UnpicklingError("it contains an array that is not numeric")
        flat = np.frombuffer(content, kind.dtype())
        return flat.reshape(shape, order=order).copy()


class _Maker:
    """Stands in for a constructor. A fresh one each time, since a file can modify what it gets."""

    __slots__ = ("_made",)

    def __init__(self, made: Any) -> None:
        self._made = made

    def __call__(self, *arguments: Any) -> Any:
        return self._made(*arguments)


def _encoded(text: str, encoding: str) -> bytes:
    """How protocols before 3 encode bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it asks for the encoding {encoding!r}")
    return text.encode("latin1")


_KNOWN = {
    ("builtins", "tuple"): tuple,
    ("builtins", "dict"): dict,
    ("collections", "OrderedDict"): dict,
    ("_codecs", "encode"): _encoded,
    ("numpy", "dtype"): StoredType,
    ("numpy", "ndarray"): StoredArray,
    ("numpy.core.multiarray", "_reconstruct"): StoredArray,
    ("numpy._core.multiarray", "_reconstruct"): StoredArray,
    ("numpy.core.numeric", "_frombuffer"): StoredArray,
    ("numpy._core.numeric", "_frombuffer"): StoredArray,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _Maker(_KNOWN[module, name])


def _plain(value: Any) -> Any:
    """Arrays in place of the records, at the depths where weight files have them."""
    if isinstance(value, dict):
        return {name: _plain_leaf(inner) for name, inner in value.items()}
    return value


def _plain_leaf(value: Any) -> Any:
    if isinstance(value, StoredArray):
        return value.array()
    if isinstance(value, tuple):
        return tuple(inner.array() if isinstance(inner, StoredArray) else inner for inner in value)
    return value
