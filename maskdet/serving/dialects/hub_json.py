"""PaddleHub 2.x (and the JSON route of 1.6-1.8): POST /predict/<module>."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import Headers

from maskdet.errors import MaskdetError
from maskdet.serving.dialects.hub import is_true, jpeg_uri, module_model
from maskdet.serving.dialects.wire import (
    hub_labels,
    json_reply,
    refusal_reply,
    says,
    threshold_option,
)
from maskdet.serving.engine.served_model import PictureResult, Work
from maskdet.serving.http.base64_reading import decode_base64
from maskdet.serving.http.by_hand import errors_as
from maskdet.serving.http.forms import FormItem, Upload, form_picture, media_type, read_form
from maskdet.serving.http.inputs import check_files
from maskdet.serving.http.json_reading import read_object
from maskdet.serving.http.unpacking import is_heavy, is_heavy_json
from maskdet.serving.refusals import BadOption, MalformedBody, UnknownModel, WrongType
from maskdet.serving.service import Service

OK, FAILED, NOT_LOADED, NOT_JSON = "000", "101", "111", "112"
"""PaddleHub 2.x status codes: strings, while the HTTP status is always 200."""

IGNORED = ("batch_size", "use_gpu", "use_multi_scale", "shrink", "output_dir")
"""Arguments of the old module that are meaningless here: its scaling, its device, its files on the server."""
KNOWN = ("images", "visualization", "confs_threshold", *IGNORED)


def routes(service: Service) -> APIRouter:
    """POST /predict/{module}."""

    def form(error: MaskdetError) -> Response:
        body = {"msg": says(error), "results": "", "status": _status(error)}
        return refusal_reply(error, body, status=None if service.settings.hub_http_errors else 200)

    router = APIRouter(tags=["PaddleHub"], route_class=errors_as(form))

    @router.post("/predict/{module}", summary="PaddleHub 2.x", response_model=None)
    async def predict(module: str, request: Request) -> Response:
        model = module_model(service, module)
        async with service.body(request) as body:
            headers, max_files = request.headers, service.settings.max_files
            heavy = is_heavy(len(body)) if _is_form(headers) else is_heavy_json(body)
            works = await service.unpacked(
                lambda: _works(_arguments(body, headers, max_files), model, max_files), heavy=heavy
            )
            results = await service.results(request, works) if works else []
        return await service.written(results, lambda: _answer(results, service))

    return router


def _status(error: MaskdetError) -> str:
    if isinstance(error, UnknownModel):
        return NOT_LOADED
    return NOT_JSON if isinstance(error, WrongType) else FAILED


def _is_form(headers: Headers) -> bool:
    return media_type(headers).startswith(("multipart/", "application/x-www-form-urlencoded"))


def _arguments(body: bytes, headers: Headers, max_files: int) -> dict[str, Any]:
    """The module's keyword arguments, from JSON or a form. Raises WrongType, MalformedBody or BadOption."""
    if _is_form(headers):
        arguments = _from_form(read_form(body, headers, max_files), headers)
    else:
        try:
            arguments = read_object(body)
        except MalformedBody as error:
            raise WrongType(f"{error.what}; use 'application/json' as content-type and an object") from error
    unknown = [name for name in arguments if name not in KNOWN]
    if unknown:
        raise BadOption(f"face_detection() got an unexpected keyword argument '{unknown[0][:80]}'")
    return arguments


def _from_form(items: list[FormItem], headers: Headers) -> dict[str, Any]:
    arguments: dict[str, Any] = {"images": []}
    for name, value in items:
        if isinstance(value, Upload):
            arguments["images"].append(value)
        elif name in ("image", "images"):
            arguments["images"].append(Upload(form_picture(value, headers)))
        else:
            arguments[name] = _typed(name, value)
    return arguments


def _typed(name: str, text: str) -> Any:
    """A form has nothing but texts; JSON states the type itself."""
    if name == "visualization":
        return is_true(text)
    if name != "confs_threshold":
        return text
    try:
        return float(text)
    except ValueError as error:
        raise BadOption(f"{name} is not a number", "leave it out for the model's own") from error


def _works(arguments: dict[str, Any], model: str, max_files: int) -> list[Work]:
    if "images" not in arguments:
        raise BadOption("face_detection() missing 1 required argument: 'images'")
    images = arguments["images"] if isinstance(arguments["images"], list) else [arguments["images"]]
    check_files(images, max_files)
    threshold = threshold_option(arguments.get("confs_threshold"), "confs_threshold")
    drawn = bool(arguments.get("visualization", False))
    return [Work(_bytes(image), model, threshold, drawn=drawn) for image in images]


def _bytes(image: Any) -> bytes:
    if isinstance(image, Upload):
        return image.data
    if not isinstance(image, str):
        raise BadOption("images is not a list of base64 texts")
    return decode_base64(image)


def _answer(results: list[PictureResult], service: Service) -> Response:
    entries = [_entry(result, service) for result in results]
    return json_reply({"msg": "", "results": entries, "status": OK})


def _entry(result: PictureResult, service: Service) -> dict[str, Any]:
    found, labels = result.detections, hub_labels(result.model, service.settings)
    rows = zip(
        found.boxes.round().astype(int).tolist(), found.scores.tolist(), found.class_ids.tolist(), strict=True
    )
    faces = [
        {"label": labels[one], "confidence": score, "left": x1, "top": y1, "right": x2, "bottom": y2}
        for (x1, y1, x2, y2), score, one in rows
    ]
    # The old module names a picture without a path after the current microsecond.
    entry: dict[str, Any] = {"data": faces, "path": f"ndarray_time={time.time() * 1e6:.0f}"}
    if result.drawn is not None:
        entry["base64"] = jpeg_uri(result.drawn)
    return entry
