"""The Flask page over a PicoDet ONNX model: POST /api/, called by a browser from another port."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from maskdet.errors import MaskdetError
from maskdet.serving.dialects.wire import (
    add_preflight,
    json_reply,
    refusal_reply,
    says,
)
from maskdet.serving.engine.served_model import PictureResult, Work
from maskdet.serving.http.base64_reading import decode_base64
from maskdet.serving.http.by_hand import errors_as
from maskdet.serving.http.cors import OPEN_CORS
from maskdet.serving.http.json_reading import read_object
from maskdet.serving.http.unpacking import is_heavy_json
from maskdet.serving.refusals import NoPicture
from maskdet.serving.service import Service

OPEN_CORS_PATHS = ("/api/",)


def routes(service: Service) -> APIRouter:
    """POST /api/ with its preflight."""

    def form(error: MaskdetError) -> Response:
        return refusal_reply(error, {"error": says(error), "results": []}, headers=OPEN_CORS)

    router = APIRouter(tags=["Flask demo"], route_class=errors_as(form))

    @router.post("/api/", summary="The Flask demo's page", response_model=None)
    async def detect(request: Request) -> Response:
        async with service.body(request) as body:
            picture = await service.unpacked(lambda: _picture(body), heavy=is_heavy_json(body))
            [result] = await service.results(request, [Work(picture)])
        return json_reply({"results": _results(result)}, headers=OPEN_CORS)

    add_preflight(router, "/api/")
    return router


def _picture(body: bytes) -> bytes:
    picture = read_object(body).get("image")
    if not isinstance(picture, str):
        raise NoPicture("image is not base64 text or a data URI")
    return decode_base64(picture)


def _results(result: PictureResult) -> list[dict[str, object]]:
    found, labels = result.detections, result.model.meta.labels
    boxes = found.boxes.round().astype(int).tolist()
    rows = zip(boxes, found.scores.tolist(), found.class_ids.tolist(), strict=True)
    # The page runs parseFloat over conf; the demo's own server sent it as text.
    return [{"name": labels[one], "conf": f"{score:.2f}", "bbox": box} for box, score, one in rows]
