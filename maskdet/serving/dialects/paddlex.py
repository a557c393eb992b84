"""PaddleX 3.x basic serving: POST /object-detection, GET /health."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, ValidationError

from maskdet.errors import MaskdetError
from maskdet.serving.dialects.wire import json_object, json_reply, refusal_reply, says
from maskdet.serving.engine.served_model import PictureResult, ServedModel, Work
from maskdet.serving.http.inputs import Fraction, decode_base64
from maskdet.serving.http.problems import kind_of
from maskdet.serving.refusals import BadOption
from maskdet.serving.service import Service, errors_as


class PaddlexRequest(BaseModel):
    """PaddleX's request. It ignores keys that it does not know, so this does too."""

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
            wanted = _request(body)
            # Unlike PaddleX, no address that a client names is ever fetched.
            if wanted.image.startswith(("http://", "https://")):
                raise BadOption("image is an address; send the picture itself in base64")
            model = next(iter(service.engine.models.values()))
            threshold = _threshold(wanted, model)
            drawn = wanted.visualize is not False
            work = Work(decode_base64(wanted.image), threshold=threshold, drawn=drawn)
            [result] = await service.results(request, [work])
        return json_reply({**_envelope(0, "Success"), "result": _result(result)})

    @router.get("/health", include_in_schema=False)
    async def health() -> Response:
        service.engine.check_ready()
        return json_reply(_envelope(0, "Healthy"))

    return router


def _envelope(code: int, message: str) -> dict[str, Any]:
    return {"logId": str(uuid.uuid4()), "errorCode": code, "errorMsg": message}


def _request(body: bytes) -> PaddlexRequest:
    try:
        return PaddlexRequest.model_validate(json_object(body))
    except ValidationError as error:
        # PaddleX puts the list of faults into a text.
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise BadOption(json.dumps(faults, ensure_ascii=False)) from error


def _threshold(wanted: PaddlexRequest, model: ServedModel) -> float | dict[str, float] | None:
    """PaddleX names classes by id in its thresholds; labels are taken too."""
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
