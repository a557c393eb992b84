"""The review queue under /v1/review: what was captured or proposed, and people's decisions on it."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ValidationError

from maskdet.inbox.boxes import Correction
from maskdet.inbox.inbox import Inbox
from maskdet.serving.http.access import note
from maskdet.serving.http.forms import media_type
from maskdet.serving.http.inputs import JSON_TYPE, bad_option, query_of
from maskdet.serving.http.json_reading import read_json
from maskdet.serving.http.keys import key_name
from maskdet.serving.http.origin import refuse_foreign, require_person_here
from maskdet.serving.http.unpacking import Unpacker
from maskdet.serving.refusals import BadOption, NoInbox, WrongType
from maskdet.serving.routes.corrections import MAX_BOXES_MARKS
from maskdet.serving.routes.native import json_response
from maskdet.serving.routes.openapi import BINARY, Described, problems, query_options, required_body
from maskdet.serving.routes.review_schemas import (
    CorrectedBox,
    DecisionBody,
    ListOptions,
    ReviewAnswer,
    ReviewPicture,
    UndoBody,
    review_answer,
    review_picture,
)
from maskdet.serving.service import Service

M = TypeVar("M", bound=BaseModel)

LIST_HELP = """Pictures that were captured or proposed, with the boxes that a model proposes. They train only
once a person accepts or corrects them.

    curl -H "X-API-Key: $KEY" "http://127.0.0.1:8866/v1/review/pictures?why=uncertain&limit=20"

Needs an API key with the scope review if the server has keys; otherwise it is only for people at the
server's machine. So do all routes under /v1/review.
"""
DECIDE_HELP = """A decision names the revision of the picture that the person saw, so that nobody overwrites
what somebody else decided.

    curl -H "X-API-Key: $KEY" -H "Content-Type: application/json" \\
        -d '{"decision": "accept", "revision": 1}' \\
        http://127.0.0.1:8866/v1/review/pictures/3f1c5d0a9b2e7714/decision
"""
PICTURE_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".bmp": "image/bmp", ".webp": "image/webp"}


def review_routes(service: Service) -> APIRouter:
    """The routes always exist; without an inbox they say so."""
    router = APIRouter(prefix="/v1/review", tags=["review"])
    review = Review(service)
    router.get(
        "/pictures",
        summary="The review queue",
        description=LIST_HELP,
        response_model=ReviewAnswer,
        responses=problems(401, 403, 422, 503),
        openapi_extra=query_options(ListOptions),
    )(review.pictures)
    router.get(
        "/pictures/{name}",
        summary="One picture's state and boxes",
        response_model=ReviewPicture,
        responses=problems(401, 403, 404, 503),
    )(review.picture)
    router.get(
        "/pictures/{name}/picture",
        summary="One picture's bytes",
        response_class=Response,
        responses={200: {"content": {"image/*": {"schema": BINARY}}}, **problems(401, 403, 404, 503)},
    )(review.pixels)
    router.post(
        "/pictures/{name}/decision",
        summary="Accept, correct, skip or reject a picture",
        description=DECIDE_HELP,
        response_model=ReviewPicture,
        responses=problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 503, 507),
        openapi_extra=_json_body(DecisionBody),
    )(review.decide)
    router.post(
        "/pictures/{name}/undo",
        summary="Make a decided picture a proposal again",
        response_model=ReviewPicture,
        responses=problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 503, 507),
        openapi_extra=_json_body(UndoBody),
    )(review.undo)
    return router


class Review:
    """The handlers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        # Files are read and written on one thread, so that no slow disk holds up the event loop.
        self._files = Unpacker()

    async def pictures(self, request: Request) -> Response:
        inbox = self._admitted(request)
        options = _valid(ListOptions, query_of(request))

        def listed() -> str:
            inbox.tidy()
            return review_answer(inbox.records(), options).model_dump_json()

        return json_response(await self._files.run(listed, heavy=True))

    async def picture(self, request: Request, name: str) -> Response:
        inbox = self._admitted(request)
        record = await self._files.run(lambda: inbox.record(name), heavy=True)
        return json_response(review_picture(record).model_dump_json())

    async def pixels(self, request: Request, name: str) -> Response:
        inbox = self._admitted(request)
        data, suffix = await self._files.run(lambda: inbox.picture(name), heavy=True)
        return Response(data, media_type=_TYPES[suffix], headers=PICTURE_HEADERS)

    async def decide(self, request: Request, name: str) -> Response:
        inbox = self._admitted(request)
        wanted = await _sent(request, self._service, DecisionBody)
        by = key_name(request.scope)

        def decided() -> str:
            faces = _faces(wanted.boxes, inbox, name, self._service)
            record = inbox.decide(name, wanted.decision, revision=wanted.revision, by=by, faces=faces)
            return review_picture(record).model_dump_json()

        text = await self._files.run(decided, heavy=True)
        note(request.scope, picture=name, decision=wanted.decision)
        return json_response(text)

    async def undo(self, request: Request, name: str) -> Response:
        inbox = self._admitted(request)
        wanted = await _sent(request, self._service, UndoBody)
        by = key_name(request.scope)
        record = await self._files.run(lambda: inbox.undo(name, revision=wanted.revision, by=by), heavy=True)
        note(request.scope, picture=name, decision="undo")
        return json_response(review_picture(record).model_dump_json())

    def _admitted(self, request: Request) -> Inbox:
        settings, inbox = self._service.settings, self._service.inbox
        if inbox is None:
            raise NoInbox("this server keeps no pictures", "start it with --inbox DIR")
        keyed = settings.has_keys
        if not keyed:
            require_person_here(request)
        # Without keys, a page of another origin that may call the server would see all pictures.
        refuse_foreign(request, settings.cors_origins if keyed else (), keyed=keyed)
        return inbox


async def _sent(request: Request, service: Service, model: type[M]) -> M:
    """The JSON body. Raises like `BodyReader.body`, and WrongType, MalformedBody or BadOption."""
    # Pages of other sites may send forms and plain text without asking, but not this type.
    if media_type(request.headers) != JSON_TYPE:
        raise WrongType("the content type is not application/json", "send JSON, and say so")
    async with service.reader.body(request) as body:
        return await service.unpacked(
            lambda: _valid(model, read_json(body, "the body", MAX_BOXES_MARKS)), heavy=True
        )


def _valid(model: type[M], value: Any) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise bad_option(error, model) from error


def _faces(
    boxes: list[CorrectedBox] | None, inbox: Inbox, name: str, service: Service
) -> list[Correction] | None:
    """Raises BadOption for a label that neither a model nor the proposal has, UnknownPicture."""
    if boxes is None:
        return None
    labels = {label: None for model in service.engine.models.values() for label in model.meta.labels}
    labels |= {face.label: None for face in inbox.record(name).proposed}
    for one in boxes:
        if one.label not in labels:
            raise BadOption(f"no model has the label {one.label[:80]!r}", f"there are {', '.join(labels)}")
    return [one.correction() for one in boxes]


def _json_body(model: type[BaseModel]) -> Described:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    inner = schema.pop("$defs", {})
    # Its own definitions, in place: those of the document are only of responses.
    schema["properties"] = {key: _inlined(value, inner) for key, value in schema["properties"].items()}
    return required_body({JSON_TYPE: {"schema": schema}})


def _inlined(value: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_inlined(one, definitions) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inlined(definitions[value["$ref"].rpartition("/")[2]], definitions)
    return {key: _inlined(one, definitions) for key, one in value.items()}
