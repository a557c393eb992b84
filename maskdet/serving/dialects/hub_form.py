"""PaddleHub 1.5 to 1.8: POST /predict/image/<module>, whose `results` is a string that clients eval()."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import Headers

from maskdet.errors import MaskdetError
from maskdet.serving.dialects.hub import is_true, jpeg_uri, module_model
from maskdet.serving.dialects.wire import hub_labels, json_reply, refusal_reply, says
from maskdet.serving.engine.served_model import PictureResult, Work
from maskdet.serving.http.by_hand import errors_as
from maskdet.serving.http.forms import Upload, form_picture, read_form
from maskdet.serving.http.inputs import check_files
from maskdet.serving.http.json_reading import read_object
from maskdet.serving.http.json_writing import json_text
from maskdet.serving.http.unpacking import is_heavy
from maskdet.serving.refusals import BadOption, MalformedBody, NoPicture, UnknownModel
from maskdet.serving.service import Service

_BYTES_PREFIX = re.compile(r"(?<=[\[, ])b(?=')")
NO_FACE = "No face."


@dataclass(frozen=True, slots=True)
class FormPictures:
    """The content of a form. `plain`: the `b64s` shape, which never gets pictures or file names back."""

    uploads: list[Upload]
    drawn: bool
    plain: bool


def routes(service: Service) -> APIRouter:
    """POST /predict/image/{module} and GET or POST /get/modules."""

    def form(error: MaskdetError) -> Response:
        if isinstance(error, UnknownModel):
            body = {"error": error.what}
        else:
            body = {"msg": says(error), "results": "", "status": "-1"}
        return refusal_reply(error, body, status=None if service.settings.hub_http_errors else 200)

    router = APIRouter(tags=["PaddleHub"], route_class=errors_as(form))

    @router.post("/predict/image/{module}", summary="PaddleHub 1.5 to 1.8", response_model=None)
    async def predict(module: str, request: Request) -> Response:
        model = module_model(service, module)
        async with service.body(request) as body:
            headers, max_files = request.headers, service.settings.max_files
            wanted = await service.unpacked(
                lambda: _pictures(body, headers, max_files), heavy=is_heavy(len(body))
            )
            works = [Work(upload.data, model, drawn=wanted.drawn) for upload in wanted.uploads]
            results = await service.results(request, works)
        return await service.written(results, lambda: _answer(wanted, results, service))

    @router.api_route("/get/modules", methods=["GET", "POST"], include_in_schema=False)
    async def modules() -> Response:
        names = [*service.settings.hub_modules, *service.engine.models]
        listed = [{"Choose...": "Choose..."}, *({name: name} for name in names)]
        return json_reply({"module_info": {"cv_module": listed}})

    return router


def _pictures(body: bytes, headers: Headers, max_files: int) -> FormPictures:
    """The three shapes: files, data URIs in `image`, and any field that holds {"b64s": [...]}."""
    uploads, texts = [], {}
    for name, value in read_form(body, headers, max_files):
        if isinstance(value, Upload):
            uploads.append(value)
        elif name == "image":
            uploads.append(_from_uri(value, headers))
        else:
            texts[name] = value
    if uploads:
        return FormPictures(uploads, is_true(texts.get("visual_result", "1")), plain=False)
    for name, text in texts.items():
        if "b64s" in text:
            return FormPictures(_from_b64s(name, text, headers, max_files), drawn=False, plain=True)
    raise NoPicture("Please check data format! The form holds no picture.")


def _from_uri(text: str, headers: Headers) -> Upload:
    if not text.startswith("data:image/"):
        raise MalformedBody("Unrecognized file type")
    return Upload(form_picture(text, headers))


def _from_b64s(name: str, text: str, headers: Headers, max_files: int) -> list[Upload]:
    pictures = _dictionary(name, text).get("b64s")
    if not isinstance(pictures, list) or not all(isinstance(one, str) for one in pictures):
        raise BadOption("Please check data format! b64s is not a list of base64 texts.")
    if not pictures:
        raise NoPicture("Please check data format! b64s is empty.")
    check_files(pictures, max_files)
    return [Upload(form_picture(one, headers)) for one in pictures]


def _dictionary(name: str, text: str) -> dict[str, Any]:
    """JSON, or the same as Python text, which the old server evaluated. Base64 has no quotes and no
    backslashes, so exchanging the quotes makes it JSON, and nothing is evaluated.
    """
    for one in (text, _BYTES_PREFIX.sub("", text).replace("'", '"')):
        with suppress(MalformedBody):
            return read_object(one.encode())
    raise MalformedBody(
        f"Please check data format! The field {name[:40]!r} is not a JSON object.", 'send {"b64s": [...]}'
    )


def _answer(wanted: FormPictures, results: list[PictureResult], service: Service) -> Response:
    items = [
        _item(number, upload, result, wanted, service)
        for number, (upload, result) in enumerate(zip(wanted.uploads, results, strict=True), 1)
    ]
    # Text that is at once JSON and a Python literal: only strings and numbers, so that eval(),
    # ast.literal_eval() and json.loads() all read the same list.
    return json_reply({"msg": "", "results": json_text(items), "status": "0"})


def _item(
    number: int, upload: Upload, result: PictureResult, wanted: FormPictures, service: Service
) -> dict[str, Any]:
    faces = _faces(result, hub_labels(result.model, service.settings))
    item: dict[str, Any] = {
        # Clients of the b64s shape never saw the string: they loop over faces.
        "data": faces if faces or wanted.plain else NO_FACE,
        "path": upload.filename if wanted.drawn else "",
        "id": number,
    }
    if result.drawn is not None:
        item["base64"] = jpeg_uri(result.drawn)
    return item


def _faces(result: PictureResult, labels: list[str]) -> list[dict[str, Any]]:
    found = result.detections
    rows = zip(found.boxes.tolist(), found.scores.tolist(), found.class_ids.tolist(), strict=True)
    return [
        {"label": labels[one], "left": x1, "right": x2, "top": y1, "bottom": y2, "confidence": score}
        for (x1, y1, x2, y2), score, one in rows
    ]
