"""Metadata into an ONNX file without touching another byte of it, and without the onnx package.

An ONNX file is one protobuf message, ModelProto; its metadata_props are field 14, each a
StringStringEntryProto with key (1) and value (2). Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from maskdet.detector.settings import METADATA_KEY, BundleMeta
from maskdet.errors import BundleError

_METADATA_PROPS: Final = 14
_KEY: Final = 1
_VALUE: Final = 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES: Final = {_FIXED64: 8, _FIXED32: 4}


def with_meta(model: bytes, meta: BundleMeta) -> bytes:
    """The model with this metadata in place of any that it has. Raises BundleError if it is no ONNX model."""
    kept = [
        model[start:end]
        for number, start, body, end in _fields(model)
        if not (number == _METADATA_PROPS and _key_of(model[body:end]) == METADATA_KEY.encode())
    ]
    entry = _field(_KEY, METADATA_KEY.encode()) + _field(_VALUE, meta.model_dump_json().encode())
    return b"".join([*kept, _field(_METADATA_PROPS, entry)])


def _key_of(entry: bytes) -> bytes:
    return next((entry[body:end] for number, _, body, end in _fields(entry) if number == _KEY), b"")


def _fields(message: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Number of each field, where it starts, where its content starts, and where it ends."""
    start = 0
    while start < len(message):
        tag, body = _varint(message, start)
        kind = tag & 7
        if kind == _BYTES:
            size, body = _varint(message, body)
            end = body + size
        elif kind == _VARINT:
            end = _varint(message, body)[1]
        elif kind in _FIXED_SIZES:
            end = body + _FIXED_SIZES[kind]
        else:
            raise _damaged()
        if end > len(message):
            raise _damaged()
        yield tag >> 3, start, body, end
        start = end


def _varint(message: bytes, start: int) -> tuple[int, int]:
    """The number, and where it ends."""
    value = 0
    for place in range(start, min(start + 10, len(message))):
        value |= (message[place] & 0x7F) << 7 * (place - start)
        if message[place] < 0x80:
            return value, place + 1
    raise _damaged()


def _field(number: int, content: bytes) -> bytes:
    return _written(number << 3 | _BYTES) + _written(len(content)) + content


def _written(value: int) -> bytes:
    """As a varint."""
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _damaged() -> BundleError:
    return BundleError("the file is not an ONNX model", "make a bundle with `maskdet export`")
