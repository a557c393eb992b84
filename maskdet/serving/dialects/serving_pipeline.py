"""Paddle Serving's pipeline form: POST /ppdet/prediction, lists of keys and of base64 values."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from maskdet.errors import MaskdetError
from maskdet.serving.dialects.wire import json_object, json_reply, refusal_reply, says
from maskdet.serving.engine.served_model import PictureResult, Work
from maskdet.serving.http.inputs import decode_base64
from maskdet.serving.http.problems import kind_of
from maskdet.serving.refusals import BadOption, NoPicture
from maskdet.serving.service import Service, errors_as

NOTHING = "No object detected!"


def routes(service: Service) -> APIRouter:
    """POST /ppdet/prediction."""

    def form(error: MaskdetError) -> Response:
        return refusal_reply(error, _envelope(kind_of(error).status, says(error), [], []))

    router = APIRouter(tags=["Paddle Serving"], route_class=errors_as(form))

    @router.post("/ppdet/prediction", summary="Paddle Serving pipeline", response_model=None)
    async def predict(request: Request) -> Response:
        async with service.body(request) as body:
            names, pictures = _pairs(json_object(body))
            results = await service.results(request, [Work(decode_base64(one)) for one in pictures])
        return json_reply(_envelope(0, "", names, [_value(result) for result in results]))

    return router


def _envelope(number: int, message: str, names: list[str], values: list[str]) -> dict[str, Any]:
    return {"err_no": number, "err_msg": message, "key": names, "value": values, "tensors": []}


def _pairs(wanted: dict[str, Any]) -> tuple[list[str], list[str]]:
    names, pictures = wanted.get("key"), wanted.get("value")
    for one in (names, pictures):
        if not isinstance(one, list) or not all(isinstance(text, str) for text in one):
            raise BadOption("key and value are not lists of texts")
    if not pictures:
        raise NoPicture("value is empty")
    if len(names or []) != len(pictures):
        raise BadOption("key and value have different lengths")
    return names or [], pictures


def _value(result: PictureResult) -> str:
    """The Python text of a list of `class score x1 y1 x2 y2`, or a sentence if there is nothing."""
    found = result.detections
    rows = zip(found.class_ids.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
    lines = [" ".join(map(str, (one, score, *box))) for one, score, box in rows]
    return repr(lines) if lines else NOTHING
