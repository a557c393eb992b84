"""Paddle Serving's pipeline format: POST /ppdet/prediction, lists of keys and of base64 values."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from maskdet.errors import MaskdetError
from maskdet.serving.dialects.wire import json_reply, refusal_reply, says
from maskdet.serving.engine.served_model import PictureResult, Work
from maskdet.serving.http.base64_reading import decode_base64
from maskdet.serving.http.by_hand import errors_as
from maskdet.serving.http.inputs import check_files
from maskdet.serving.http.json_reading import read_object
from maskdet.serving.http.problems import kind_of
from maskdet.serving.http.unpacking import is_heavy_json
from maskdet.serving.refusals import BadOption, NoPicture
from maskdet.serving.service import Service

MAX_NAME = 1024
"""Characters of a key, which the response repeats."""
NOTHING = "No object detected!"


def routes(service: Service) -> APIRouter:
    """POST /ppdet/prediction."""

    def form(error: MaskdetError) -> Response:
        return refusal_reply(error, _envelope(kind_of(error).status, says(error), [], []))

    router = APIRouter(tags=["Paddle Serving"], route_class=errors_as(form))

    @router.post("/ppdet/prediction", summary="Paddle Serving pipeline", response_model=None)
    async def predict(request: Request) -> Response:
        async with service.body(request) as body:
            names, pictures = await service.unpacked(
                lambda: _pairs(read_object(body), service.settings.max_files), heavy=is_heavy_json(body)
            )
            results = await service.results(request, [Work(one) for one in pictures])
        return json_reply(_envelope(0, "", names, [_value(result) for result in results]))

    return router


def _envelope(number: int, message: str, names: list[str], values: list[str]) -> dict[str, Any]:
    return {"err_no": number, "err_msg": message, "key": names, "value": values, "tensors": []}


def _pairs(wanted: dict[str, Any], max_files: int) -> tuple[list[str], list[bytes]]:
    names, pictures = _texts(wanted.get("key")), _texts(wanted.get("value"))
    if not pictures:
        raise NoPicture("value is empty")
    check_files(pictures, max_files)
    if len(names) != len(pictures):
        raise BadOption("key and value have different lengths")
    if max(map(len, names)) > MAX_NAME:
        raise BadOption(f"a key has more than {MAX_NAME} characters")
    return names, [decode_base64(one) for one in pictures]


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise BadOption("key and value are not lists of strings")
    return value


def _value(result: PictureResult) -> str:
    """The Python literal of a list of `class score x1 y1 x2 y2`, or a sentence if it is empty."""
    found = result.detections
    rows = zip(found.class_ids.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
    lines = [" ".join(map(str, (one, score, *box))) for one, score, box in rows]
    return repr(lines) if lines else NOTHING
