"""Metadata into an ONNX file without touching another byte of it, and without the onnx package.

See `message` for the encoding.
"""

from __future__ import annotations

from maskdet.detector.settings import METADATA_KEY, BundleMeta
from maskdet.export.message import BYTES, KEY, METADATA_PROPS, VALUE, fields, text_of


def with_meta(model: bytes, meta: BundleMeta) -> bytes:
    """The model with this metadata in place of any that it has. Raises BundleError if it is no ONNX model."""
    kept = [
        model[start:end]
        for number, start, body, end in fields(model)
        if not (number == METADATA_PROPS and text_of(model[body:end], KEY) == METADATA_KEY)
    ]
    entry = _field(KEY, METADATA_KEY.encode()) + _field(VALUE, meta.model_dump_json().encode())
    return b"".join([*kept, _field(METADATA_PROPS, entry)])


def _field(number: int, content: bytes) -> bytes:
    return _written(number << 3 | BYTES) + _written(len(content)) + content


def _written(value: int) -> bytes:
    """As a varint."""
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
