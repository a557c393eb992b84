"""JSON from clients: measured before it is parsed, since parsing holds the interpreter lock."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from maskdet.serving.refusals import BodyTooLarge, MalformedBody

MAX_MARKS = 8192
"""Commas, colons and opening brackets of one JSON text. They bound the number of values; the largest request,
1024 pictures with their keys as data URIs, has half of that."""
MAX_ESCAPES = 1_000_000
"""Backslashes of one JSON text. A 20 MiB picture from a client that escapes slashes has 330,000."""
MAX_BLANKS = 1_000_000
"""Spaces and control characters of one JSON text. A 20 MiB picture in a form has 330,000 if its client leaves
`+` as it is, which is read as a space."""
MAX_BEFORE = 256
"""Bytes within which an object must start."""
MAX_DIGITS = 300
"""Digits of one integer: the time to read one grows with their square."""

_HOPELESS_DIGITS = 5000
"""Digits of an integer that pydantic refuses before it has read them all."""
_LONG_NUMBER = re.compile(rb"(?=(\s*))\1-?(?=(\d{%d,%d}))\2[\s,\]}]" % (MAX_DIGITS + 1, _HOPELESS_DIGITS))
"""A lookahead never gives back, one by one, what it has found."""
_SLICE = 1 << 16
"""Bytes processed per step: they stay in the processor's cache."""


def read_json(body: bytes, what: str = "the body", max_marks: int = MAX_MARKS) -> Any:
    """The value of a JSON text. Raises MalformedBody, or BodyTooLarge for one with too many values."""
    plain = _in_utf8(body, what)
    places = marks(plain, max_marks)
    if len(places) > max_marks:
        raise BodyTooLarge(
            f"{what} has more than {max_marks} commas, colons and brackets", "send fewer values at once"
        )
    _check_texts(plain, what)
    _check_numbers(plain, places, what)
    try:
        return from_json(plain)
    except ValueError as error:
        raise MalformedBody(f"{what} is not valid JSON", "check its quotes, commas and encoding") from error


def read_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object, whatever its content type. Raises like `read_json`."""
    start = body[:MAX_BEFORE].decode(json.detect_encoding(body), "ignore").lstrip("\ufeff \t\r\n")
    value = read_json(body) if start.startswith("{") else None
    if not isinstance(value, dict):
        raise MalformedBody("the body is not a JSON object", "send an object in braces")
    return value


def marks(text: bytes, most: int) -> NDArray[np.int64]:
    """Positions of commas, colons and opening brackets; counting stops soon after `most`."""
    found, count = [], 0
    for start in range(0, len(text), _SLICE):
        part = np.frombuffer(text, np.uint8, min(_SLICE, len(text) - start), start)
        # `[` and `{` differ in one bit.
        places = np.flatnonzero((part == ord(",")) | (part == ord(":")) | ((part | 0x20) == ord("{")))
        found.append(places + start)
        count += len(places)
        if count > most:
            break
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _in_utf8(body: bytes, what: str) -> bytes:
    """Some systems start UTF-8 with a byte order mark, or write UTF-16."""
    encoding = json.detect_encoding(body)
    if encoding == "utf-8":
        return body
    try:
        return body.decode(encoding).encode()
    except UnicodeError as error:
        raise MalformedBody(f"{what} is not valid {encoding}", "send it in UTF-8") from error


def _check_texts(text: bytes, what: str) -> None:
    if len(text) <= min(MAX_ESCAPES, MAX_BLANKS):
        return
    escapes = blanks = 0
    for start in range(0, len(text), _SLICE):
        part = np.frombuffer(text, np.uint8, min(_SLICE, len(text) - start), start)
        escapes += np.count_nonzero(part == ord("\\"))
        blanks += np.count_nonzero(part <= ord(" "))
    if escapes > MAX_ESCAPES:
        raise BodyTooLarge(
            f"{what} has more than {MAX_ESCAPES} escapes", "send base64 without escaped slashes"
        )
    if blanks > MAX_BLANKS:
        raise BodyTooLarge(f"{what} has more than {MAX_BLANKS} spaces", "send it without indentation")


def _check_numbers(text: bytes, places: NDArray[np.int64], what: str) -> None:
    """Every number is at the start or after a mark."""
    if len(text) <= MAX_DIGITS:
        return
    if any(_LONG_NUMBER.match(text, start) for start in (0, *(places + 1).tolist())):
        raise MalformedBody(f"{what} has a number of more than {MAX_DIGITS} digits", "shorten it")
