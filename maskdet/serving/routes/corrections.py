"""POST /v1/corrections: corrections from the web page, into the inbox."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field, TypeAdapter, ValidationError

from maskdet.inbox.boxes import MAX_BOXES, Correction
from maskdet.inbox.record import NO_ORIGIN, Origin
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.http.access import note
from maskdet.serving.http.camera import camera_parameters
from maskdet.serving.http.forms import FormItem, Upload, read_form
from maskdet.serving.http.inputs import bad_option
from maskdet.serving.http.json_reading import read_json
from maskdet.serving.http.keys import key_name
from maskdet.serving.http.origin import refuse_foreign
from maskdet.serving.refusals import BadOption, MalformedBody, NoInbox, NoPicture, UnknownModel
from maskdet.serving.routes.native import json_response
from maskdet.serving.routes.openapi import BINARY, Described, problems, required_body
from maskdet.serving.routes.review_schemas import CorrectedBox
from maskdet.serving.routes.schemas import Schema
from maskdet.serving.service import Service

HELP = """A form with the picture in `image` and its faces in `boxes`, as JSON. List all faces of the
picture, including those that were right; for a picture without faces send an empty list.

    curl -F image=@photo.jpg -F 'boxes=[{"label":"with_mask","box":[12,9,80,77]}]' http://127.0.0.1:8866/v1/corrections
"""
FIELDS = ("image", "boxes", "model", "bundle")
BUNDLE_DIGITS = 12
_BUNDLE = re.compile(r"[0-9a-f]{12}(?:[0-9a-f]{52})?")
MAX_BOXES_MARKS = 16 * MAX_BOXES
"""Commas, colons and brackets of the boxes; each box has at most twelve."""


class CorrectionAnswer(Schema):
    """Where the correction was stored."""

    name: str = Field(examples=["3f1c5d0a9b2e7714"])
    """Name of the stored picture and annotation, without suffix."""
    boxes: int
    """Faces in the annotation."""


_BOXES: TypeAdapter[list[CorrectedBox]] = TypeAdapter(
    Annotated[list[CorrectedBox], Field(max_length=MAX_BOXES)]
)


def correction_routes(service: Service) -> APIRouter:
    """The route always exists; without an inbox it says so."""
    router = APIRouter(prefix="/v1", tags=["native"])
    inbox = service.inbox

    @router.post(
        "/corrections",
        summary="Keep a picture with corrected boxes for the next training",
        description=HELP,
        status_code=201,
        response_model=CorrectionAnswer,
        responses=problems(400, 401, 403, 404, 408, 413, 415, 422, 503, 507),
        openapi_extra=_form_schema(),
    )
    async def correct(request: Request) -> Response:
        if inbox is None:
            raise NoInbox("this server keeps no corrections", "start it with --inbox DIR")
        settings = service.settings
        refuse_foreign(request, settings.cors_origins, keyed=settings.has_keys)
        async with service.body(request) as body:
            found = await service.unpacked(
                lambda: _taken_apart(read_form(body, request.headers, max_files=1), service), heavy=True
            )
            origin = found.origin.model_copy(update={"camera": service.cameras.of(request)})
            name = await inbox.take_in(found.picture, found.faces, key_name(request.scope), origin)
        note(request.scope, correction=name)
        response = json_response(CorrectionAnswer(name=name, boxes=len(found.faces)).model_dump_json())
        response.status_code = 201
        return response

    return router


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form's content. origin: the model that answered before, as far as the client told it."""

    picture: bytes
    faces: list[Correction]
    origin: Origin


def _taken_apart(items: list[FormItem], service: Service) -> _Sent:
    fields = {name: value for name, value in items if name in FIELDS}
    picture, text = fields.get("image"), fields.get("boxes")
    name, bundle = (value if isinstance(value := fields.get(one), str) else "" for one in ("model", "bundle"))
    if not isinstance(picture, Upload):
        raise NoPicture("the form has no file named image", "send the picture and its boxes as a form")
    if not isinstance(text, str):
        raise BadOption("boxes: Field required", "send the faces as JSON; [] for none")
    try:
        boxes = _BOXES.validate_python(_json(text))
    except ValidationError as error:
        raise bad_option(error, CorrectedBox) from error
    model = _model(service, name)
    labels = model.meta.labels
    for one in boxes:
        if one.label not in labels:
            raise BadOption(
                f"the model has no label {one.label[:80]!r}", f"its labels are {', '.join(labels)}"
            )
    faces = [one.correction() for one in boxes]
    return _Sent(picture.data, faces, _origin(model, bundle) if name or bundle else NO_ORIGIN)


def _origin(model: ServedModel, bundle: str) -> Origin:
    """The version is known only of the bundle in use. Raises BadOption."""
    if bundle and not _BUNDLE.fullmatch(bundle):
        raise BadOption(
            "bundle is not the sha256 of one, or its first 12 digits", "send what the answer said"
        )
    in_use = bool(bundle) and model.sha256.startswith(bundle)
    version = str(model.version) if in_use and model.version is not None else ""
    return Origin(model=model.name, bundle=bundle[:BUNDLE_DIGITS], version=version)


def _json(text: str) -> Any:
    try:
        return read_json(text.encode(), "boxes", MAX_BOXES_MARKS)
    except MalformedBody as error:
        raise BadOption(error.what, error.hint) from error


def _model(service: Service, name: str) -> ServedModel:
    models = service.engine.models
    if name and name not in models:
        raise UnknownModel.named(name, models)
    return models[name] if name else next(iter(models.values()))


def _form_schema() -> Described:
    properties = {
        "image": BINARY,
        "boxes": {"type": "string", "description": "JSON: a list of objects with `label` and `box`"},
        "model": {"type": "string", "description": "Name of the model that the labels belong to"},
        "bundle": {
            "type": "string",
            "pattern": _BUNDLE.pattern,
            "description": "The bundle that answered before the correction, as the answer names it",
        },
    }
    schema = {"type": "object", "properties": properties, "required": ["image", "boxes"]}
    return {"parameters": camera_parameters(), **required_body({"multipart/form-data": {"schema": schema}})}
