"""PaddleClas `clas_system` under PaddleHub 2.x: the class scores of whole pictures, from a detector."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maskdet.errors import MaskdetError
from maskdet.serving.dialects.wire import class_scores, json_reply, refusal_reply, says
from maskdet.serving.engine.served_model import PictureResult, Work
from maskdet.serving.http.base64_reading import decode_base64
from maskdet.serving.http.by_hand import errors_as
from maskdet.serving.http.inputs import bad_option, check_files
from maskdet.serving.http.json_reading import read_object
from maskdet.serving.http.unpacking import is_heavy_json
from maskdet.serving.refusals import BadOption
from maskdet.serving.service import Service
from maskdet.serving.settings import ServeSettings
from maskdet.types import FloatArray, Picture

IMAGENET_MEAN = np.array((0.485, 0.456, 0.406), np.float32)
IMAGENET_STD = np.array((0.229, 0.224, 0.225), np.float32)
"""RGB, as PaddleClas's test client normalises on its side."""
DTYPES = ("float32", "float64", "float16", "uint8")


class TensorShape(BaseModel):
    """How to read the bytes of `images`."""

    model_config = ConfigDict(extra="forbid")

    shape: tuple[int, int, int, int]
    dtype: str = "float32"


class ClasRequest(BaseModel):
    """The client's JSON: a raw tensor with its shape, or (release 2.0) a list of picture files."""

    model_config = ConfigDict(extra="forbid")

    images: str | list[str]
    revert_params: TensorShape | None = None
    top_k: int = Field(5, ge=1, le=1000)


def routes(service: Service) -> APIRouter:
    """POST /predict/clas_system."""

    def form(error: MaskdetError) -> Response:
        body = {"msg": says(error), "results": "", "status": "101"}
        return refusal_reply(error, body, status=None if service.settings.hub_http_errors else 200)

    router = APIRouter(tags=["PaddleClas"], route_class=errors_as(form))

    @router.post("/predict/clas_system", summary="PaddleClas hub serving", response_model=None)
    async def predict(request: Request) -> Response:
        started = time.perf_counter()
        async with service.body(request) as body:
            wanted, sources = await service.unpacked(
                lambda: _read(body, service.settings), heavy=is_heavy_json(body)
            )
            works = [Work(source, candidates=True) for source in sources]
            results = await service.results(request, works) if works else []
        elapse = time.perf_counter() - started
        return json_reply({"msg": "", "results": _results(wanted, results, elapse), "status": "000"})

    return router


def _read(body: bytes, settings: ServeSettings) -> tuple[ClasRequest, list[bytes] | list[Picture]]:
    wanted = _request(body)
    return wanted, _sources(wanted, settings)


def _request(body: bytes) -> ClasRequest:
    try:
        return ClasRequest.model_validate(read_object(body))
    except ValidationError as error:
        raise bad_option(error, ClasRequest) from error


def _sources(wanted: ClasRequest, settings: ServeSettings) -> list[bytes] | list[Picture]:
    if isinstance(wanted.images, list):
        check_files(wanted.images, settings.max_files)
        return [decode_base64(text) for text in wanted.images]
    if wanted.revert_params is None:
        raise BadOption("revert_params is missing: images is a raw tensor", "send its shape and dtype")
    return _pictures(decode_base64(wanted.images), wanted.revert_params, settings)


def _pictures(data: bytes, layout: TensorShape, settings: ServeSettings) -> list[Picture]:
    """The tensor's pictures, RGB uint8: the client's normalisation is undone.

    Raises BadOption if dtype, shape and bytes do not match, BodyTooLarge for too many pictures.
    """
    if layout.dtype not in DTYPES:
        raise BadOption(f"dtype {layout.dtype[:20]!r} is not one of {', '.join(DTYPES)}")
    dtype = np.dtype(layout.dtype)
    if min(layout.shape) < 1 or math.prod(layout.shape) * dtype.itemsize != len(data):
        raise BadOption(f"{len(data)} bytes do not make {layout.dtype} of shape {list(layout.shape)}")
    tensor = np.frombuffer(data, dtype).reshape(layout.shape)
    check_files(tensor, settings.max_files)
    if layout.shape[1] == 3:
        tensor = tensor.transpose(0, 2, 3, 1)
    if tensor.shape[3] != 3:
        raise BadOption(f"shape {list(layout.shape)} has no axis of three colours")
    if tensor.shape[1] * tensor.shape[2] > settings.max_pixels:
        raise BadOption(f"a picture of the tensor has more than {settings.max_pixels} pixels")
    return [_restored(picture) for picture in tensor]


def _restored(picture: np.ndarray[Any, Any]) -> Picture:
    if picture.dtype == np.uint8:
        return np.ascontiguousarray(picture)
    values: FloatArray = (picture.astype(np.float32) * IMAGENET_STD + IMAGENET_MEAN) * 255
    # A tensor may contain NaN, which uint8 cannot represent.
    pixels: Picture = np.nan_to_num(values.clip(0, 255).round(), nan=0).astype(np.uint8)
    return pixels


def _results(wanted: ClasRequest, results: list[PictureResult], elapse: float) -> Any:
    tops = [_top(result, wanted.top_k) for result in results]
    if isinstance(wanted.images, list):
        return [[ids, scores, elapse] for ids, scores, _ in tops]
    prediction = [{"class_ids": ids, "scores": scores, "label_names": names} for ids, scores, names in tops]
    return {"prediction": prediction, "elapse": elapse}


def _top(result: PictureResult, count: int) -> tuple[list[int], list[float], list[str]]:
    scores = class_scores(result)
    ids = sorted(range(len(scores)), key=lambda one: -scores[one])[:count]
    labels = result.model.meta.labels
    return ids, [round(scores[one], 5) for one in ids], [labels[one] for one in ids]
