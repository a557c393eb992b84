"""Tensors of the Open Inference Protocol v2: JSON, or Triton's binary extension behind the JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from maskdet.serving.dialects.oip_numbers import pixel_values, take_out
from maskdet.serving.http.base64_reading import decode_base64
from maskdet.serving.http.inputs import bad_option, check_files
from maskdet.serving.http.json_reading import read_object
from maskdet.serving.http.json_writing import json_text
from maskdet.serving.refusals import BadOption, MalformedBody
from maskdet.types import Picture

MAX_ID = 1024
"""Characters of a request's id, which the response repeats."""
MAX_TENSORS = 64
"""Tensors that a request may name as inputs or outputs."""

Size = Annotated[int, Field(ge=0)]
Parameters = Annotated[
    dict[str, str | bool | int | float], BeforeValidator(lambda given: {} if given is None else given)
]
"""Some clients write null for what they leave out."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str
    parameters: Parameters = Field(default_factory=dict)


class InputTensor(_Part):
    """One input; `data` is absent if its bytes follow the JSON."""

    shape: list[Size]
    datatype: str
    data: list[Any] | None = None


class InferRequest(BaseModel):
    """The JSON of an inference request. Keys that the protocol may add later are ignored."""

    model_config = ConfigDict(extra="ignore")

    id: str | None = Field(None, max_length=MAX_ID)
    inputs: list[InputTensor] = Field(min_length=1, max_length=MAX_TENSORS)
    outputs: Annotated[list[_Part], BeforeValidator(lambda given: [] if given is None else given)] = Field(
        default_factory=list, max_length=MAX_TENSORS
    )
    parameters: Parameters = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """One output; datatype is FP32 or INT32, like the array's."""

    name: str
    array: np.ndarray[Any, Any]
    binary: bool

    def header(self) -> dict[str, Any]:
        """Its part of the JSON."""
        datatype = {"f": "FP32", "i": "INT32"}[self.array.dtype.kind]
        head = {"name": self.name, "datatype": datatype, "shape": list(self.array.shape)}
        if self.binary:
            return {**head, "parameters": {"binary_data_size": self.array.nbytes}}
        return {**head, "data": self.array.ravel().tolist()}


@dataclass(frozen=True, slots=True)
class Payload:
    """What accompanies the parsed JSON. tail: the bytes after it; numbers: a long list of pixels, as text."""

    tail: bytes
    numbers: bytes


def split(body: bytes, header_length: str | None) -> tuple[bytes, bytes]:
    """The JSON part and the binary tail, each as sent. Raises MalformedBody."""
    length = len(body)
    if header_length is not None:
        if not header_length.isdecimal() or len(header_length) > 12 or int(header_length) > length:
            raise MalformedBody("Inference-Header-Content-Length is not a length within the body")
        length = int(header_length)
    return body[:length], body[length:]


def read_request(head: bytes, tail: bytes) -> tuple[InferRequest, Payload]:
    """The parts of `split`, parsed. Raises MalformedBody, BodyTooLarge or BadOption."""
    text, numbers = take_out(head)
    try:
        return InferRequest.model_validate(read_object(text)), Payload(tail, numbers)
    except ValidationError as error:
        raise bad_option(error, InferRequest) from error


def read_pictures(wanted: InferRequest, payload: Payload, max_files: int) -> list[bytes] | list[Picture]:
    """The pictures of the one input: BYTES [N] or [N, 1] of files, UINT8 [size] of one file, or
    UINT8 [N, H, W, 3] of RGB pixels. Raises MalformedBody, BodyTooLarge or BadOption.
    """
    if len(wanted.inputs) != 1:
        raise BadOption(f"{len(wanted.inputs)} inputs are given, the model has only one: image")
    tensor = wanted.inputs[0]
    if payload.numbers and (tensor.data != [] or tensor.datatype != "UINT8"):
        raise BadOption("only a UINT8 input may contain a long list of numbers", "send pictures as BYTES")
    if tensor.datatype == "BYTES":
        return _files(tensor, payload.tail, max_files)
    if tensor.datatype == "UINT8":
        return _pixels(tensor, payload, max_files)
    raise BadOption(f"datatype {tensor.datatype[:20]!r} is not BYTES or UINT8")


def write_answer(head: dict[str, Any], outputs: list[OutputTensor]) -> tuple[bytes, int | None]:
    """The body, and the length of its JSON part if binary tensors follow it."""
    answer = {**head, "outputs": [one.header() for one in outputs]}
    text = json_text(answer, separators=(",", ":")).encode()
    binary = [one.array.astype(one.array.dtype.newbyteorder("<")).tobytes() for one in outputs if one.binary]
    return b"".join((text, *binary)), len(text) if binary else None


def _files(tensor: InputTensor, tail: bytes, max_files: int) -> list[bytes]:
    if tensor.data is not None:
        files = _json_files(tensor.data, max_files)
    else:
        files = _elements(_binary(tensor, tail), max_files)
    # 0-d tensors do not exist in the protocol; [N, 1] is what Triton sends for a batch of strings.
    if math.prod(tensor.shape) != len(files) or len(tensor.shape) not in (1, 2):
        raise BadOption(f"shape {tensor.shape[:8]} does not hold {len(files)} elements")
    return files


def _json_files(data: list[Any], max_files: int) -> list[bytes]:
    texts = [one for row in data for one in (row if isinstance(row, list) else [row])]
    if not all(isinstance(text, str) for text in texts):
        raise BadOption("BYTES data in JSON is not base64 text")
    check_files(texts, max_files)
    return [decode_base64(text) for text in texts]


def _elements(data: bytes, max_files: int) -> list[bytes]:
    """Elements of a BYTES tensor: each has a little-endian four-byte length, then its content."""
    elements: list[bytes] = []
    place = 0
    while place < len(data):
        end = place + 4 + int.from_bytes(data[place : place + 4], "little")
        if place + 4 > len(data) or end > len(data):
            raise MalformedBody("a BYTES element is longer than the binary data")
        elements.append(data[place + 4 : end])
        check_files(elements, max_files)
        place = end
    return elements


def _pixels(tensor: InputTensor, payload: Payload, max_files: int) -> list[bytes] | list[Picture]:
    shape = tensor.shape
    if payload.numbers:
        data = pixel_values(payload.numbers, shape)
    else:
        data = _json_pixels(tensor.data) if tensor.data is not None else _binary(tensor, payload.tail)
    if math.prod(shape) != len(data):
        raise BadOption(f"{len(data)} values do not make UINT8 of shape {shape[:8]}")
    if len(shape) == 1:
        return [data]
    if len(shape) != 4 or shape[3] != 3 or not all(shape):
        raise BadOption(f"shape {shape[:8]} is not [N, height, width, 3]")
    pixels = np.frombuffer(data, np.uint8).reshape(shape)
    check_files(pixels, max_files)
    return list(pixels)


def _json_pixels(data: list[Any]) -> bytes:
    try:
        values = np.asarray(data)
    except ValueError as error:
        raise MalformedBody("the nested lists of data have different lengths") from error
    if not values.size:
        return b""
    if values.dtype.kind not in "iu" or values.min() < 0 or values.max() > 255:
        raise BadOption("UINT8 data contains something other than integers from 0 to 255")
    return values.astype(np.uint8).tobytes()


def _binary(tensor: InputTensor, tail: bytes) -> bytes:
    size = tensor.parameters.get("binary_data_size")
    if isinstance(size, bool) or not isinstance(size, int):
        raise BadOption("the input has neither data nor a binary_data_size")
    if size != len(tail):
        raise MalformedBody(f"binary_data_size is {size}, but {len(tail)} bytes follow the JSON")
    return tail
