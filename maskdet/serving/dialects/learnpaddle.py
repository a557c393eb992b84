"""LearnPaddle's Flask service: POST /infer and /upload, a form's file field `img`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse

from maskdet.errors import MaskdetError
from maskdet.serving.dialects.wire import (
    add_preflight,
    class_scores,
    json_reply,
    refusal_reply,
    says,
)
from maskdet.serving.engine.served_model import PictureResult, Work
from maskdet.serving.http.by_hand import errors_as
from maskdet.serving.http.cors import OPEN_CORS
from maskdet.serving.http.forms import Upload, read_form
from maskdet.serving.http.unpacking import is_heavy
from maskdet.serving.refusals import NoPicture
from maskdet.serving.service import Service

OPEN_CORS_PATHS = ("/infer", "/upload")


def routes(service: Service) -> APIRouter:
    """POST /infer and /upload with their preflights."""

    def form(error: MaskdetError) -> Response:
        return refusal_reply(error, {"code": -1, "message": says(error)}, headers=OPEN_CORS)

    router = APIRouter(tags=["LearnPaddle"], route_class=errors_as(form))

    @router.post("/infer", summary="LearnPaddle: the picture's best class", response_model=None)
    async def infer(request: Request) -> Response:
        result = await _result(service, request)
        scores = class_scores(result)
        best = max(range(len(scores)), key=scores.__getitem__)
        # A document inside a string, with six digits, as the old service formatted it.
        data = f'{{"result":{best if scores[best] else -1:d},"possibility":{scores[best]:f}}}'
        return json_reply({"code": 0, "data": data, "message": "success"}, headers=OPEN_CORS)

    @router.post("/upload", summary="LearnPaddle: check a picture; nothing is kept", response_model=None)
    async def upload(request: Request) -> Response:
        await _result(service, request)
        return HTMLResponse("success", headers=OPEN_CORS)

    add_preflight(router, "/infer")
    add_preflight(router, "/upload")
    return router


async def _result(service: Service, request: Request) -> PictureResult:
    async with service.body(request) as body:
        items = await service.unpacked(
            lambda: read_form(body, request.headers, service.settings.max_files), heavy=is_heavy(len(body))
        )
        files = [value for name, value in items if name == "img" and isinstance(value, Upload)]
        if not files:
            raise NoPicture("the form has no file named img")
        [result] = await service.results(request, [Work(files[0].data, candidates=True)])
    return result
