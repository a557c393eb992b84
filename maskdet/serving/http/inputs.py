"""What a request to the native route holds: pictures and options, from a raw, multipart or JSON body."""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData, Headers
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

from maskdet.serving.refusals import BadOption, BodyTooLarge, MalformedBody, NoPicture, WrongType

Fraction = Annotated[float, Field(ge=0, le=1)]

DATA_URI = re.compile(r"data:[^,;]*(?:;[^,;]*)*;base64,", re.IGNORECASE)
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")
RAW_TYPES = ("image/", "application/octet-stream")


class DetectOptions(BaseModel):
    """What a client may ask for; the same names in the query, in a form and in JSON."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    model: str = ""
    """Name of a loaded model; without it the default model answers."""
    threshold: Fraction | dict[str, Fraction] | None = None
    """Score from which a detection counts: one number, or one per label."""
    max_detections: int | None = Field(None, ge=0, le=10_000)
    """Most detections in the answer, best first."""
    visualize: bool = False
    """Whether the answer holds the picture with its boxes drawn, as a JPEG in base64."""
    candidates: bool = False
    """Whether the answer also lists what is below its threshold, so that a client can filter by itself."""


class DetectJson(DetectOptions):
    """The JSON body: options, and one picture or several, each base64 or a data URI."""

    image: str | None = Field(None, examples=["/9j/4AAQSkZJRg..."])
    """One picture."""
    images: list[str] | None = None
    """Several pictures."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One picture as sent. `filename` is only ever repeated in the answer. A picture whose base64 is
    damaged is kept as its `fault`, so that the others are still answered.
    """

    data: bytes
    filename: str = ""
    fault: MalformedBody | None = None


FormItem = tuple[str, "str | Upload"]
"""A field's name, and its text or its file."""


@dataclass(frozen=True, slots=True)
class DetectInput:
    """One request: its pictures in the order sent, and its options."""

    uploads: tuple[Upload, ...]
    options: DetectOptions


async def read_input(body: bytes, headers: Headers, query: Mapping[str, str], max_files: int) -> DetectInput:
    """Tell the body's kind by its content type and take it apart.

    Raises WrongType, MalformedBody, BadOption, NoPicture or BodyTooLarge (more than `max_files`).
    """
    kind = media_type(headers)
    if kind == "application/json":
        found = _from_json(body, query)
    elif kind in FORM_TYPES:
        found = _from_form(await read_form(body, headers, max_files), query)
    elif kind.startswith(RAW_TYPES):
        found = DetectInput((Upload(body),) if body else (), options_of(query))
    else:
        raise WrongType(
            f"the content type is {kind[:80]!r}" if kind else "the request has no content type",
            "send image/*, application/octet-stream, multipart/form-data or application/json",
        )
    if not found.uploads:
        raise NoPicture("the request holds no picture", "see /docs for the ways to send one")
    if len(found.uploads) > max_files:
        raise _too_many(max_files)
    return found


def media_type(headers: Headers) -> str:
    """The content type in lower case, without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def options_of(values: Mapping[str, Any]) -> DetectOptions:
    """Options from query or form texts; a threshold that begins with `{` is JSON. Raises BadOption."""
    threshold = values.get("threshold")
    if isinstance(threshold, str) and threshold.lstrip().startswith("{"):
        values = {**values, "threshold": _json(threshold, "the option threshold")}
    try:
        return DetectOptions.model_validate(values)
    except ValidationError as error:
        raise bad_option(error, DetectOptions) from error


def bad_option(error: ValidationError, model: type[BaseModel]) -> BadOption:
    """The first fault of a validation, in one line."""
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"][:2])
    known = ", ".join(model.model_fields)
    hint = f"known options: {known}" if fault["type"] == "extra_forbidden" else "see /docs for what it takes"
    return BadOption(f"{where[:80] or 'body'}: {fault['msg']}", hint)


def decode_base64(text: str) -> bytes:
    """The bytes of base64 text, with or without a data URI prefix and line breaks. Raises MalformedBody."""
    prefix = DATA_URI.match(text)
    try:
        plain = text[prefix.end() if prefix else 0 :].encode("ascii")
        if any(space in plain for space in (b"\n", b"\r", b" ")):
            plain = b"".join(plain.split())
        return base64.b64decode(plain, validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise MalformedBody(
            "the picture is not valid base64", "send the bytes of a picture file in base64, or a data URI"
        ) from error


async def read_form(body: bytes, headers: Headers, max_files: int) -> list[FormItem]:
    """The fields of a multipart or urlencoded body. Raises WrongType, MalformedBody or BodyTooLarge."""
    kind = media_type(headers)
    if kind not in FORM_TYPES:
        raise WrongType(
            f"the content type is {kind[:80]!r}, not a form's", f"send one of {', '.join(FORM_TYPES)}"
        )
    try:
        if kind == "application/x-www-form-urlencoded":
            fields = FormParser(headers, _once(body), max_fields=100, max_part_size=len(body) + 1)
            return _items(await fields.parse())
        return _items(await _MemoryParser(headers, body, max_files).parse())
    except (MultiPartException, FormParserError) as error:
        if "Too many files" in str(getattr(error, "message", "")):
            raise _too_many(max_files) from error
        raise MalformedBody(
            "the form is malformed or cut off", "send it whole, as multipart/form-data with a boundary"
        ) from error


def _items(form: FormData) -> list[FormItem]:
    items: list[FormItem] = []
    for name, value in form.multi_items():
        if isinstance(value, str):
            items.append((name, value))
            continue
        with value.file:
            upload = Upload(value.file.read(), value.filename or "")
        # A browser sends a nameless empty part for a file field that was left empty.
        if upload.data or upload.filename:
            items.append((name, upload))
    return items


class _MemoryParser(MultiPartParser):
    """Starlette's parser, but no picture ever touches the disk, and a cut-off body is noticed."""

    spool_max_size = sys.maxsize  # the body as a whole is bounded already

    def __init__(self, headers: Headers, body: bytes, max_files: int) -> None:
        super().__init__(
            headers, self._whole(body), max_files=max_files, max_fields=100, max_part_size=len(body) + 1
        )
        self._ended = False

    def on_end(self) -> None:
        self._ended = True

    async def _whole(self, body: bytes) -> AsyncGenerator[bytes, None]:
        yield body
        if not self._ended:
            raise MultiPartException("the form ends before its last boundary")


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
    # By an empty chunk, Starlette before 1.10 knows the last field's end.
    yield b""


def _from_json(body: bytes, query: Mapping[str, str]) -> DetectInput:
    value = _json(body, "the body")
    if not isinstance(value, dict):
        raise MalformedBody("the JSON body is not an object", 'send {"image": "<base64>"}')
    try:
        wanted = DetectJson.model_validate({**query, **value})
    except ValidationError as error:
        raise bad_option(error, DetectJson) from error
    texts = [wanted.image] if wanted.image is not None else []
    options = DetectOptions.model_validate(wanted.model_dump(exclude={"image", "images"}))
    return DetectInput(tuple(_upload(text) for text in texts + (wanted.images or [])), options)


def _upload(text: str, filename: str = "") -> Upload:
    try:
        return Upload(decode_base64(text), filename)
    except MalformedBody as fault:
        return Upload(b"", filename, fault)


def _from_form(items: list[FormItem], query: Mapping[str, str]) -> DetectInput:
    uploads, texts = [], dict(query)
    for name, value in items:
        if isinstance(value, Upload):
            uploads.append(value)
        elif name in ("image", "images"):
            uploads.append(_upload(value))
        else:
            texts[name] = value
    return DetectInput(tuple(uploads), options_of(texts))


def _json(text: str | bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedBody(f"{what} is not valid JSON", "check its quotes, commas and encoding") from error


def _too_many(max_files: int) -> BodyTooLarge:
    return BodyTooLarge(f"more than {max_files} pictures in one request", "send them in several requests")
