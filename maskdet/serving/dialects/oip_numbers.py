"""Pixels written as numbers in JSON: millions of values, too many to turn into objects."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from maskdet.serving.http.json_reading import MAX_MARKS, marks
from maskdet.serving.refusals import BadOption

MAX_AXES = 4
"""Axes of a tensor: [N, height, width, 3]."""
_STEP = 1 << 16
"""Bytes processed per step, since a step holds the interpreter lock."""


def take_out(text: bytes) -> tuple[bytes, bytes]:
    """A large JSON text with `[]` in place of the long list of numbers at `data`, and that list. The list is
    empty if the text is small enough as it is, or has no such list.
    """
    if len(marks(text, MAX_MARKS)) <= MAX_MARKS:
        return text, b""
    start, end = _longest_gap(text)
    first, last = text.find(b"[", start, end), text.rfind(b"]", start, end)
    at_data = text.endswith(b'"data"', 0, start) and text[start:first].strip() == b":"
    if not at_data or not 0 <= first < last:
        return text, b""
    return text[:first] + b"[]" + text[last + 1 :], text[first : last + 1]


def pixel_values(numbers: bytes, shape: Sequence[int]) -> bytes:
    """The numbers of a list, flat or nested according to the shape, one byte each. Raises BadOption."""
    plain = _without(numbers, b" \t\r\n")
    nesting = _without(plain, b"0123456789")
    if len(shape) > MAX_AXES or math.prod(shape) != nesting.count(b",") + 1:
        raise BadOption(f"{nesting.count(b',') + 1} values do not make UINT8 of shape {list(shape[:8])}")
    if nesting not in (_nesting([math.prod(shape)]), _nesting(shape)):
        raise BadOption("the lists of data are not nested as the shape says, or contain more than integers")
    plain, values, start = _without(plain, b"[]"), [], 0
    try:
        while start < len(plain):
            end = plain.find(b",", start + _STEP)
            end = len(plain) if end < 0 else end
            values.append(bytes(map(int, plain[start:end].split(b","))))
            start = end + 1
    except ValueError as error:
        raise BadOption("UINT8 data contains something other than integers from 0 to 255") from error
    return b"".join(values)


def _longest_gap(text: bytes) -> tuple[int, int]:
    """The longest stretch without quotes and braces."""
    longest, last = (0, 0), 0
    for start in range(0, len(text), _STEP):
        part = np.frombuffer(text, np.uint8, min(_STEP, len(text) - start), start)
        places = np.flatnonzero((part == ord('"')) | (part == ord("{")) | (part == ord("}")))
        ends = np.append(last, places + start)
        if len(places):
            widest = int(np.diff(ends).argmax())
            gap = int(ends[widest]), int(ends[widest + 1])
            longest = max(longest, gap, key=lambda one: one[1] - one[0])
            last = int(ends[-1])
    return longest[0] + 1, longest[1]


def _without(text: bytes, unwanted: bytes) -> bytes:
    steps = range(0, len(text), _STEP)
    return b"".join(text[start : start + _STEP].translate(None, unwanted) for start in steps)


def _nesting(shape: Sequence[int]) -> bytes:
    """The brackets and commas of a nested list of this shape; no axis is 0."""
    inner = b""
    for count in reversed(shape):
        inner = b"[" + (inner + b",") * (count - 1) + inner + b"]"
    return inner
