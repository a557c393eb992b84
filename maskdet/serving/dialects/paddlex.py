"""PaddleX 3.x basic serving: POST /object-detection, GET /health."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, ValidationError

from maskdet.errors import MaskdetError
from maskdet.serving.dialects.wire import json_reply, refusal_reply, says
from maskdet.serving.engine.served_model import PictureResult, ServedModel, Work
from maskdet.serving.http.base64_reading import decode_base64
from maskdet.serving.http.by_hand import errors_as
from maskdet.serving.http.inputs import Fraction
from maskdet.serving.http.json_reading import read_object
from maskdet.serving.http.json_writing import json_text
from maskdet.serving.http.problems import kind_of
from maskdet.serving.http.unpacking import is_heavy_json
from maskdet.serving.refusals import BadOption
from maskdet.serving.service import Service

MAX_FAULTS = 20
"""Faults of a request listed in the response."""
MAX_LOCATION = 80
"""Characters of a key in a fault."""


class PaddlexRequest(BaseModel):
    """PaddleX's request. PaddleX ignores unknown keys, so this does too."""

    model_config = ConfigDict(extra="ignore")

    image: str
    threshold: Fraction | dict[str, Fraction] | None = None
    visualize: bool | None = None


def routes(service: Service) -> APIRouter:
    """POST /object-detection and GET /health."""

    def form(error: MaskdetError) -> Response:
        return refusal_reply(error, _envelope(kind_of(error).status, says(error)))

    router = APIRouter(tags=["PaddleX"], route_class=errors_as(form))

    @router.post("/object-detection", summary="PaddleX 3 basic serving", response_model=None)
    async def detect(request: Request) -> Response:
        async with service.body(request) as body:
            model = next(iter(service.engine.models.values()))
            work = await service.unpacked(lambda: _work(_request(body), model), heavy=is_heavy_json(body))
            results = await service.results(request, [work])
        return await service.written(
            results, lambda: json_reply({**_envelope(0, "Success"), "result": _result(results[0])})
        )

    @router.head("/health", include_in_schema=False)
    @router.get("/health", include_in_schema=False)
    async def health() -> Response:
        service.engine.check_ready()
        return json_reply(_envelope(0, "Healthy"))

    return router


def _envelope(code: int, message: str) -> dict[str, Any]:
    return {"logId": str(uuid.uuid4()), "errorCode": code, "errorMsg": message}


def _request(body: bytes) -> PaddlexRequest:
    try:
        return PaddlexRequest.model_validate(read_object(body))
    except ValidationError as error:
        # PaddleX puts the list of faults into a string.
        faults = error.errors(include_url=False, include_input=False, include_context=False)[:MAX_FAULTS]
        named = [{**fault, "loc": [_short(part) for part in fault["loc"]]} for fault in faults]
        raise BadOption(json_text(named)) from error


def _short(part: str | int) -> str | int:
    return part[:MAX_LOCATION] if isinstance(part, str) else part


def _work(wanted: PaddlexRequest, model: ServedModel) -> Work:
    # Unlike PaddleX, a URL from a client is never fetched.
    if wanted.image.startswith(("http://", "https://")):
        raise BadOption("image is a URL; send the picture itself in base64")
    threshold = _threshold(wanted, model)
    return Work(decode_base64(wanted.image), threshold=threshold, drawn=wanted.visualize is not False)


def _threshold(wanted: PaddlexRequest, model: ServedModel) -> float | dict[str, float] | None:
    """PaddleX names classes by id in its thresholds; labels are accepted too."""
    if not isinstance(wanted.threshold, dict):
        return wanted.threshold
    names = {str(number): label for number, label in enumerate(model.meta.labels)}
    return {names.get(key, key): value for key, value in wanted.threshold.items()}


def _result(result: PictureResult) -> dict[str, Any]:
    found, labels = result.detections, result.model.meta.labels
    rows = zip(found.boxes.tolist(), found.scores.tolist(), found.class_ids.tolist(), strict=True)
    objects = [
        {"bbox": box, "categoryId": one, "categoryName": labels[one], "score": score}
        for box, score, one in rows
    ]
    image = {} if result.drawn is None else {"image": base64.b64encode(result.drawn).decode("ascii")}
    return {"detectedObjects": objects, **image}
