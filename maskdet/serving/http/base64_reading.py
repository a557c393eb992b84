"""Base64 from clients, decoded in steps, since each holds the interpreter lock."""

from __future__ import annotations

import base64
import binascii

from maskdet.serving.refusals import MalformedBody

STEP = 1 << 18
"""Characters decoded at once, a multiple of four."""
MAX_PREFIX = 200
"""Characters of a data URI before its data."""
_LINE_ENDS = b"\t\n\r\x0b\x0c"
_PLUS = bytes.maketrans(b" ", b"+")


def decode_base64(text: str, *, spaces_were_plus: bool = False) -> bytes:
    """The bytes of base64 text, with or without a data URI prefix and line breaks. Raises MalformedBody.

    spaces_were_plus: whether the text comes from where an unescaped `+` is read as a space.
    """
    try:
        plain = text[_prefix_length(text) :].encode("ascii")
        table = _PLUS if spaces_were_plus else None
        if any(space in plain for space in (b"\n", b"\r", b"\t", b" ")):
            steps = range(0, len(plain), STEP)
            plain = b"".join(plain[start : start + STEP].translate(table, _LINE_ENDS) for start in steps)
        return b"".join(_decoded(plain, start) for start in range(0, len(plain), STEP))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise MalformedBody(
            "the picture is not valid base64", "send the bytes of a picture file in base64, or a data URI"
        ) from error


def _prefix_length(text: str) -> int:
    """Length of `data:image/png;base64,` and the like; 0 if there is none."""
    head, comma, _ = text[:MAX_PREFIX].partition(",")
    lower = head.lower()
    return len(head) + 1 if comma and lower.startswith("data:") and lower.endswith(";base64") else 0


def _decoded(plain: bytes, start: int) -> bytes:
    part = plain[start : start + STEP]
    data = base64.b64decode(part, validate=True)
    if start + STEP < len(plain) and len(data) * 4 != STEP * 3:
        raise binascii.Error("padding before the end")
    return data
