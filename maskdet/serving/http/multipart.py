"""multipart/form-data from a body held in memory (RFC 7578)."""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from maskdet.serving.http.base64_reading import decode_base64
from maskdet.serving.refusals import MalformedBody

MAX_PART_HEAD = 8192
"""Bytes of one part's headers."""
MAX_PARAMETERS = 8
"""Quoted parameters of one part's Content-Disposition."""
AS_THEY_ARE = (b"", b"7bit", b"8bit", b"binary")
"""Content-Transfer-Encodings that change nothing."""
MAX_BOUNDARY = 256
"""Bytes of the boundary; RFC 2046 allows 70."""

_STEP = 1 << 18
"""Bytes searched at once, since a search holds the interpreter lock."""
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_DISPOSITION = re.compile(rb"content-disposition:\s*form-data\s*(;.*)?", re.IGNORECASE)
_PARAMETER = re.compile(rb';\s*(name|filename\*?)=(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.IGNORECASE)
_FOLD = re.compile(rb"\r\n[ \t]+")
"""Where a header goes on in the next line."""
_ENCODING = re.compile(rb"content-transfer-encoding:\s*([^\s;]*)\s*", re.IGNORECASE)
_ESCAPE = re.compile(rb'\\(["\\])')


class Part(NamedTuple):
    """One field. filename: None if the part is not a file."""

    name: str
    filename: str | None
    data: bytes


def boundary_of(content_type: str) -> bytes:
    """Raises MalformedBody if there is none."""
    found = _BOUNDARY.search(content_type)
    boundary = (found[1] or found[2]).encode("latin-1") if found else b""
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        raise MalformedBody(
            f"the form has no boundary of 1 to {MAX_BOUNDARY} bytes", "name it in the content type"
        )
    return boundary


def parts(body: bytes, boundary: bytes) -> Iterator[Part]:
    """One after another, so that the caller can stop counting. Raises MalformedBody."""
    delimiter = b"\r\n--" + boundary
    # The first one may be at the very start.
    place = -2 if body.startswith(delimiter[2:]) else _find(body, delimiter, 0)
    while not _is_last(body, place + len(delimiter)):
        head = _head_start(body, place + len(delimiter))
        data = _head_end(body, head)
        lines = _FOLD.sub(b" ", body[head : data - 4]).split(b"\r\n")
        name, filename = _disposition(lines)
        # An empty part may share its line end with its headers.
        place = _find(body, delimiter, data - 2)
        yield Part(name, filename, _plain(lines, body[data:place]))


def decoded(data: bytes) -> str:
    """A field's text: UTF-8, as the standard says, or else one character per byte."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _is_last(body: bytes, place: int) -> bool:
    return body[place : place + 2] == b"--"


def _head_start(body: bytes, place: int) -> int:
    """After the delimiter's line, which may end in spaces."""
    end = body.find(b"\r\n", place, place + MAX_BOUNDARY)
    if end < 0 or body[place:end].strip(b" \t"):
        raise _damaged()
    return end + 2


def _head_end(body: bytes, head: int) -> int:
    """Where a part's data starts."""
    end = body.find(b"\r\n\r\n", head, head + MAX_PART_HEAD)
    if end >= 0:
        return end + 4
    if len(body) - head > MAX_PART_HEAD:
        raise MalformedBody(
            f"a part of the form has more than {MAX_PART_HEAD} bytes of headers", "shorten its file name"
        )
    raise _damaged()


def _disposition(lines: Sequence[bytes]) -> tuple[str, str | None]:
    for line in lines:
        if found := _DISPOSITION.fullmatch(line):
            break
    else:
        raise _damaged()
    if found[0].count(b'="') > MAX_PARAMETERS:
        raise MalformedBody(
            f"a part of the form has more than {MAX_PARAMETERS} parameters",
            "send its name and file name only",
        )
    values: dict[bytes, str] = {}
    for key, quoted, token in _PARAMETER.findall(found[1] or b""):
        values.setdefault(key.lower(), decoded(_ESCAPE.sub(rb"\1", quoted) or token.strip()))
    if b"name" not in values:
        raise MalformedBody("a part of the form has no name", "name each field")
    extended = values.get(b"filename*")
    return values[b"name"], values.get(b"filename", None if extended is None else _extended(extended))


def _plain(lines: Sequence[bytes], data: bytes) -> bytes:
    """The data as it was before its Content-Transfer-Encoding, which some mail libraries still use."""
    encoding = next((found[1].lower() for line in lines if (found := _ENCODING.fullmatch(line))), b"binary")
    if encoding in AS_THEY_ARE:
        return data
    if encoding == b"base64":
        return decode_base64(data.decode("latin-1"))
    if encoding == b"quoted-printable":
        return b"".join(map(a2b_qp, _line_groups(data)))
    raise MalformedBody(
        f"a part of the form has the unknown encoding {decoded(encoding)[:40]!r}",
        "send its bytes as they are",
    )


def _line_groups(data: bytes) -> Iterator[bytes]:
    """Whole lines, as many as are decoded at once. Raises MalformedBody for one that is longer than that."""
    start = 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + _STEP) + 1 if start + _STEP < len(data) else len(data)
        if not end:
            raise _damaged()
        yield data[start:end]
        start = end


def _extended(value: str) -> str:
    """A file name as in RFC 5987, which some clients send alone: `utf-8''%E5%9B%BE.jpg`."""
    return decoded(unquote_to_bytes(value.split("'", 2)[-1]))


def _find(body: bytes, wanted: bytes, start: int) -> int:
    for step in range(start, len(body), _STEP):
        place = body.find(wanted, step, step + _STEP + len(wanted) - 1)
        if place >= 0:
            return place
    raise _damaged()


def _damaged() -> MalformedBody:
    return MalformedBody(
        "the form is malformed or cut off", "send it in full, as multipart/form-data with a boundary"
    )
