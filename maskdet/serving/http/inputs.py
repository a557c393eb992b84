"""The content of a request to the native route: pictures and options, from a raw, multipart or JSON body."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request

from maskdet.serving.http import camera
from maskdet.serving.http.base64_reading import decode_base64
from maskdet.serving.http.forms import (
    FORM_TYPES,
    Upload,
    form_picture,
    media_type,
    read_form,
    too_many_files,
)
from maskdet.serving.http.json_reading import read_json, read_object
from maskdet.serving.http.unpacking import is_heavy, is_heavy_json
from maskdet.serving.refusals import BadOption, MalformedBody, NoPicture, WrongType

Fraction = Annotated[float, Field(ge=0, le=1)]

JSON_TYPE = "application/json"
RAW_TYPES = ("image/", "application/octet-stream")
MAX_THRESHOLD_MARKS = 1024
"""Commas, colons and brackets of a threshold in a query or a form: room for 500 labels."""


class DetectOptions(BaseModel):
    """A client's options; the same names in the query, in a form and in JSON."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    model: str = ""
    """Name of a loaded model; by default the default model."""
    threshold: Fraction | dict[str, Fraction] | None = None
    """Lowest score that counts: one number, or one per label."""
    max_detections: int | None = Field(None, ge=0, le=10_000)
    """Most detections in the response, best first."""
    visualize: bool = False
    """Whether the response includes the picture with its boxes drawn, as a JPEG in base64."""
    candidates: bool = False
    """Whether the response also lists detections below their thresholds, for filtering by the client."""


class DetectJson(DetectOptions):
    """The JSON body: options, and one picture or several, each base64 or a data URI."""

    image: str | None = Field(None, examples=["/9j/4AAQSkZJRg..."])
    """One picture."""
    images: list[str] | None = None
    """Several pictures."""


@dataclass(frozen=True, slots=True)
class DetectInput:
    """One request: its pictures in the order sent, and its options."""

    uploads: tuple[Upload, ...]
    options: DetectOptions


def is_heavy_input(body: bytes, headers: Headers) -> bool:
    """Whether `read_input` would take noticeable time."""
    kind = media_type(headers)
    return is_heavy_json(body) if kind == JSON_TYPE else kind in FORM_TYPES and is_heavy(len(body))


def query_of(request: Request) -> dict[str, str]:
    """The fields of the query; Starlette would make a multi-dictionary of them, in three times as long."""
    return dict(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))


def read_input(body: bytes, headers: Headers, query: Mapping[str, str], max_files: int) -> DetectInput:
    """Parse the body according to its content type.

    Raises WrongType, MalformedBody, BadOption, NoPicture or BodyTooLarge (more than `max_files`).
    """
    kind = media_type(headers)
    if kind == JSON_TYPE:
        found = _from_json(body, query, max_files)
    elif kind in FORM_TYPES:
        found = _from_form(body, headers, query, max_files)
    elif kind.startswith(RAW_TYPES):
        found = DetectInput((Upload(body),) if body else (), options_of(query))
    else:
        raise WrongType(
            f"the content type is {kind[:80]!r}" if kind else "the request has no content type",
            "send image/*, application/octet-stream, multipart/form-data or application/json",
        )
    if not found.uploads:
        raise NoPicture("the request holds no picture", "see /docs for the ways to send one")
    return found


def detect_query(request: Request) -> dict[str, str]:
    """Like `query_of`, without what is no option of detection."""
    return {name: value for name, value in query_of(request).items() if name != camera.OPTION}


def options_of(values: Mapping[str, Any]) -> DetectOptions:
    """Options from query or form texts; a threshold that begins with `{` is JSON. Raises BadOption."""
    threshold = values.get("threshold")
    if isinstance(threshold, str) and threshold.lstrip().startswith("{"):
        text = threshold.encode("utf-8", "surrogatepass")
        values = {**values, "threshold": read_json(text, "the option threshold", MAX_THRESHOLD_MARKS)}
    try:
        return DetectOptions.model_validate(values)
    except ValidationError as error:
        raise bad_option(error, DetectOptions) from error


def bad_option(error: ValidationError, model: type[BaseModel]) -> BadOption:
    """The first fault of a validation, in one line."""
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"][:2])
    known = ", ".join(model.model_fields)
    hint = f"known options: {known}" if fault["type"] == "extra_forbidden" else "see /docs for the options"
    return BadOption(f"{where[:80] or 'body'}: {fault['msg']}", hint)


def check_files(pictures: Sized, max_files: int) -> None:
    """Raise BodyTooLarge for more pictures than the limit, before any of them is decoded."""
    if len(pictures) > max_files:
        raise too_many_files(max_files)


def _from_json(body: bytes, query: Mapping[str, str], max_files: int) -> DetectInput:
    try:
        wanted = DetectJson.model_validate({**query, **read_object(body)})
    except ValidationError as error:
        raise bad_option(error, DetectJson) from error
    texts = [] if wanted.image is None else [wanted.image]
    texts += wanted.images or []
    check_files(texts, max_files)
    options = DetectOptions.model_validate(wanted.model_dump(exclude={"image", "images"}))
    return DetectInput(tuple(_upload(text, decode_base64) for text in texts), options)


def _upload(text: str, decode: Callable[[str], bytes]) -> Upload:
    try:
        return Upload(decode(text))
    except MalformedBody as fault:
        return Upload(b"", fault=fault)


def _from_form(body: bytes, headers: Headers, query: Mapping[str, str], max_files: int) -> DetectInput:
    pictures: list[str | Upload] = []
    texts = dict(query)
    for name, value in read_form(body, headers, max_files):
        if isinstance(value, Upload) or name in ("image", "images"):
            pictures.append(value)
        else:
            texts[name] = value
    check_files(pictures, max_files)
    decode = partial(form_picture, headers=headers)
    uploads = (one if isinstance(one, Upload) else _upload(one, decode) for one in pictures)
    return DetectInput(tuple(uploads), options_of(texts))
