"""An ONNX file read without the onnx package: what it says of itself, whatever its size.

It is one protobuf message, ModelProto; numbers of the fields below are those of onnx.proto. Encoding:
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from maskdet.detector.settings import METADATA_KEY
from maskdet.errors import BundleError

METADATA_PROPS: Final = 14
KEY: Final = 1
VALUE: Final = 2
BYTES: Final = 2
"""The wire type of text, bytes and messages."""
_VARINT, _FIXED64, _FIXED32 = 0, 1, 5
_FIXED_SIZES: Final = {_FIXED64: 8, _FIXED32: 4}
_PRODUCER, _PRODUCER_VERSION, _GRAPH, _OPSETS = 2, 3, 7, 8
_OPSET_DOMAIN, _OPSET_VERSION = 1, 2
_NODE, _OPERATOR = 1, 4


@dataclass(frozen=True, slots=True)
class Facts:
    """`opset` is that of ONNX's own operators, `metadata` the metadata_props, `operators` counts by kind."""

    producer: str
    opset: int
    metadata: dict[str, str]
    operators: Counter[str]


def facts_of(model: bytes) -> Facts:
    """Raises BundleError if it is no ONNX model."""
    metadata: dict[str, str] = {}
    operators: Counter[str] = Counter()
    opset = 0
    for number, _, body, end in fields(model):
        part = model[body:end]
        if number == METADATA_PROPS:
            metadata[text_of(part, KEY)] = text_of(part, VALUE)
        elif number == _OPSETS and text_of(part, _OPSET_DOMAIN) in {"", "ai.onnx"}:
            opset = _number_of(part, _OPSET_VERSION)
        elif number == _GRAPH:
            operators = _operators(part)
    producer = " ".join(filter(None, (text_of(model, _PRODUCER), text_of(model, _PRODUCER_VERSION))))
    return Facts(producer, opset, metadata, operators)


def holds_meta(model: bytes) -> bool:
    """Whether it is a bundle, by its metadata alone; False for what is no ONNX model."""
    try:
        return any(
            number == METADATA_PROPS and text_of(model[body:end], KEY) == METADATA_KEY
            for number, _, body, end in fields(model)
        )
    except BundleError:
        return False


def text_of(message: bytes, wanted: int) -> str:
    """The text of a field, empty if it is missing."""
    found = (message[body:end] for number, _, body, end in fields(message) if number == wanted)
    return next(found, b"").decode("utf-8", errors="replace")


def fields(message: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Number of each field, where it starts, where its content starts, and where it ends."""
    start = 0
    while start < len(message):
        tag, body = _varint(message, start)
        kind = tag & 7
        if kind == BYTES:
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


def _number_of(message: bytes, wanted: int) -> int:
    return next((_varint(message, body)[0] for number, _, body, _ in fields(message) if number == wanted), 0)


def _operators(graph: bytes) -> Counter[str]:
    nodes = (graph[body:end] for number, _, body, end in fields(graph) if number == _NODE)
    return Counter(text_of(node, _OPERATOR) for node in nodes)


def _damaged() -> BundleError:
    return BundleError("the file is not an ONNX model", "make a bundle with `maskdet export`")
