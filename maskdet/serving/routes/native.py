"""The native API: POST /v1/detect and GET /v1/models."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from maskdet.errors import MaskdetError
from maskdet.serving.engine.engine import ResultOrError
from maskdet.serving.engine.served_model import Work
from maskdet.serving.http.access import note_error, request_id
from maskdet.serving.http.by_hand import ByHand
from maskdet.serving.http.camera import camera_parameters
from maskdet.serving.http.forms import Upload
from maskdet.serving.http.inputs import (
    DetectInput,
    DetectJson,
    DetectOptions,
    detect_query,
    is_heavy_input,
    read_input,
)
from maskdet.serving.http.problems import INTERNAL, kind_of, problem_of
from maskdet.serving.routes.openapi import BINARY, Described, problems, query_options, required_body
from maskdet.serving.routes.schemas import (
    DetectAnswer,
    ModelsAnswer,
    PictureAnswer,
    PictureFault,
    models_answer,
    picture_answer,
)
from maskdet.serving.service import Service

DETECT_HELP = """Send one picture as the body, or several as multipart files or as base64 in JSON.

    curl --data-binary @photo.jpg -H "Content-Type: image/jpeg" "http://127.0.0.1:8866/v1/detect?threshold=0.5"
    curl -F image=@a.jpg -F image=@b.png -F max_detections=10 http://127.0.0.1:8866/v1/detect

Options go in the query, in form fields or in the JSON object. With several pictures, a bad one gets its own
`error` entry and the others are still processed; the error of a single picture is the response.
"""


def native_routes(service: Service) -> APIRouter:
    """The routes under /v1."""
    router = APIRouter(prefix="/v1", tags=["native"], route_class=ByHand)

    @router.post(
        "/detect",
        summary="Find faces and say whether they wear masks",
        description=DETECT_HELP,
        response_model=DetectAnswer,
        responses=problems(400, 401, 403, 404, 408, 413, 415, 422, 503),
        openapi_extra=_detect_inputs(),
    )
    async def detect(request: Request) -> Response:
        async with service.body(request) as body:
            headers, query, most = request.headers, detect_query(request), service.settings.max_files
            wanted = await service.unpacked(
                lambda: read_input(body, headers, query, most), heavy=is_heavy_input(body, headers)
            )
            outcomes = await _outcomes(service, request, wanted)
        identity = request_id(request.scope)
        return await service.written(outcomes, lambda: _answer(wanted, outcomes, identity))

    @router.get("/models", summary="The loaded models", response_model=ModelsAnswer, responses=problems(401))
    async def models(request: Request) -> Response:
        del request
        return json_response(models_answer(service.engine.models, service.refused()).model_dump_json())

    return router


def json_response(text: str) -> Response:
    """A JSON response from text that is already JSON."""
    return Response(text, media_type="application/json")


async def _outcomes(service: Service, request: Request, wanted: DetectInput) -> list[ResultOrError]:
    """One outcome for each upload. A single picture's error is raised: it is then the request's."""
    options = wanted.options
    works = [
        Work(
            upload.data,
            options.model,
            options.threshold,
            options.max_detections,
            drawn=options.visualize,
            candidates=options.candidates,
        )
        for upload in wanted.uploads
        if upload.fault is None
    ]
    found = iter(await service.outcomes(request, works))
    outcomes = [upload.fault or next(found) for upload in wanted.uploads]
    if len(outcomes) == 1 and isinstance(outcomes[0], MaskdetError):
        raise outcomes[0]
    for outcome in outcomes:
        if isinstance(outcome, MaskdetError) and kind_of(outcome).code == INTERNAL:
            note_error(request.scope, outcome)
    return outcomes


def _answer(wanted: DetectInput, outcomes: list[ResultOrError], identity: str) -> Response:
    entries = [
        _entry(index, upload, outcome, identity, wanted.options)
        for index, (upload, outcome) in enumerate(zip(wanted.uploads, outcomes, strict=True))
    ]
    return json_response(
        DetectAnswer(request_id=identity, results=entries).model_dump_json(exclude_none=True)
    )


def _entry(
    index: int, upload: Upload, outcome: ResultOrError, identity: str, options: DetectOptions
) -> PictureAnswer | PictureFault:
    if isinstance(outcome, MaskdetError):
        return PictureFault(index=index, filename=upload.filename, error=problem_of(outcome, identity))
    return picture_answer(outcome, index=index, filename=upload.filename, candidates=options.candidates)


def _detect_inputs() -> Described:
    """The request body is read by hand (counted while it streams), so it is documented by hand too."""
    options = DetectOptions.model_json_schema()["properties"]
    form = {"type": "object", "properties": {"image": {"type": "array", "items": BINARY}, **options}}
    content = {
        "image/*": {"schema": BINARY},
        "application/octet-stream": {"schema": BINARY},
        "multipart/form-data": {"schema": form},
        "application/json": {
            "schema": DetectJson.model_json_schema(),
            "example": {"image": "/9j/4AAQSkZJRg...", "threshold": 0.5},
        },
    }
    query = query_options(DetectOptions, also=camera_parameters())
    return {**query, **required_body(content)}
