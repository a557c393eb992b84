"""The fields of a form in either of the two encodings, within limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from maskdet.serving.http.base64_reading import decode_base64
from maskdet.serving.http.multipart import Part, boundary_of, decoded, parts
from maskdet.serving.refusals import BodyTooLarge, MalformedBody, WrongType

URLENCODED = "application/x-www-form-urlencoded"
FORM_TYPES = ("multipart/form-data", URLENCODED)
MAX_FIELDS = 100
"""Fields of one form that are not files."""
MAX_ESCAPES = 1_000_000
"""`%` in one urlencoded form: reading one takes as long as a hundred bytes. A 20 MiB picture has 620,000."""

_STEP = 1 << 16
"""Bytes of a field unquoted at once, since that holds the interpreter lock."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One picture as sent. `filename` is only ever repeated in the response. A picture with damaged base64
    is kept as its `fault`, so that the others are still processed.
    """

    data: bytes
    filename: str = ""
    fault: MalformedBody | None = None


FormItem = tuple[str, "str | Upload"]
"""A field's name, and its text or its file."""


def media_type(headers: Headers) -> str:
    """The content type in lower case, without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def read_form(body: bytes, headers: Headers, max_files: int) -> list[FormItem]:
    """The fields of a multipart or urlencoded body. Raises WrongType, MalformedBody or BodyTooLarge."""
    kind = media_type(headers)
    if kind not in FORM_TYPES:
        raise WrongType(
            f"the content type is {kind[:80]!r}, not a form's", f"send one of {', '.join(FORM_TYPES)}"
        )
    if kind == URLENCODED:
        return list(_urlencoded(body))
    return list(_multipart(parts(body, boundary_of(headers["content-type"])), max_files))


def form_picture(text: str, headers: Headers) -> bytes:
    """The picture that a form's field holds as base64. Raises MalformedBody.

    Many clients put base64 into an urlencoded body as it is. Its `+` was then read as a space.
    """
    return decode_base64(text, spaces_were_plus=media_type(headers) == URLENCODED)


def too_many_files(max_files: int) -> BodyTooLarge:
    """The refusal of a request with more pictures than the limit."""
    return BodyTooLarge(f"more than {max_files} pictures in one request", "send them in several requests")


def _multipart(found: Iterator[Part], max_files: int) -> Iterator[FormItem]:
    files = fields = 0
    for part in found:
        if part.filename is None:
            fields += 1
            yield part.name, decoded(part.data)
        else:
            files += 1
            # A browser sends a nameless empty part for a file field that was left empty.
            if part.data or part.filename:
                yield part.name, Upload(part.data, part.filename)
        if files > max_files:
            raise too_many_files(max_files)
        if fields > MAX_FIELDS:
            raise _too_many_fields()


def _urlencoded(body: bytes) -> Iterator[FormItem]:
    if body.count(b"%") > MAX_ESCAPES:
        raise BodyTooLarge(
            f"the form has more than {MAX_ESCAPES} escapes", "send the picture as multipart/form-data"
        )
    for number, pair in enumerate(body.split(b"&", MAX_FIELDS + 1)):
        if number >= MAX_FIELDS:
            raise _too_many_fields()
        name, _, value = pair.partition(b"=")
        if pair:
            yield _unquoted(name), _unquoted(value)


def _unquoted(data: bytes) -> str:
    """A `%41` must not be split across two steps, so each step ends where none starts."""
    found, start = [], 0
    while start < len(data):
        end = start + _STEP
        cut = data.rfind(b"%", end - 2, end)
        end = end if cut < 0 else cut
        found.append(unquote_to_bytes(data[start:end].replace(b"+", b" ")))
        start = end
    return b"".join(found).decode("utf-8", "replace")


def _too_many_fields() -> BodyTooLarge:
    return BodyTooLarge(f"the form has more than {MAX_FIELDS} fields", "send only fields that are options")
