"""Open Inference Protocol v2 (KServe, Triton) under /v2, with Triton's binary tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response

from maskdet import __version__
from maskdet.serving.dialects.oip_tensors import (
    InferRequest,
    OutputTensor,
    read_pictures,
    read_request,
    split,
    write_answer,
)
from maskdet.serving.dialects.wire import json_reply, refusal_reply, says, threshold_option
from maskdet.serving.engine.served_model import PictureResult, ServedModel, Work
from maskdet.serving.http.by_hand import errors_as
from maskdet.serving.http.problems import kind_of
from maskdet.serving.http.unpacking import is_heavy_json
from maskdet.serving.refusals import BadOption, UnknownModel
from maskdet.serving.service import Service

OWN_PATHS = "/v2"
VERSION = "1"
JSON_LENGTH = "inference-header-content-length"
INPUTS = [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
OUTPUTS = [
    {"name": "bbox", "datatype": "FP32", "shape": [-1, 6]},
    {"name": "bbox_num", "datatype": "INT32", "shape": [-1]},
]
"""Paddle's own pair, since tensors cannot be ragged: rows [class, score, x1, y1, x2, y2] of all pictures,
and the number of rows per picture."""


def routes(service: Service) -> APIRouter:
    """The routes under /v2."""
    router = APIRouter(prefix=OWN_PATHS, tags=["Open Inference Protocol"], route_class=errors_as(error_form))
    _add_health(router, service)
    _add_models(router, service)
    return router


def error_form(error: Exception) -> Response:
    """The only form of error that clients of this protocol can read."""
    status = kind_of(error).status
    # In this protocol every bad argument is a 400.
    return refusal_reply(error, {"error": says(error)}, status=400 if status == 422 else None)


def _add_health(router: APIRouter, service: Service) -> None:
    @router.get("", summary="The server", response_model=None)
    async def server() -> Response:
        extensions = ["binary_tensor_data"]
        return json_reply({"name": "maskdet", "version": __version__, "extensions": extensions})

    @router.head("/health/live", include_in_schema=False)
    @router.get("/health/live", summary="The process answers", response_model=None)
    async def live() -> Response:
        return json_reply({"live": True})

    @router.head("/health/ready", include_in_schema=False)
    @router.get("/health/ready", summary="The model has run", response_model=None)
    async def ready() -> Response:
        service.engine.check_ready()
        return json_reply({"ready": True})


def _add_models(router: APIRouter, service: Service) -> None:
    @router.get("/models/{name}", summary="A model", response_model=None)
    @router.get("/models/{name}/versions/{version}", include_in_schema=False)
    async def metadata(name: str, version: str = VERSION) -> Response:
        model = _model(service, name, version)
        head = {"name": model.name, "versions": [VERSION], "platform": "onnx_onnxv1"}
        return json_reply({**head, "inputs": INPUTS, "outputs": OUTPUTS})

    @router.get("/models/{name}/ready", summary="Whether a model is ready", response_model=None)
    @router.get("/models/{name}/versions/{version}/ready", include_in_schema=False)
    async def model_ready(name: str, version: str = VERSION) -> Response:
        model = _model(service, name, version)
        service.engine.check_ready()
        return json_reply({"name": model.name, "ready": True})

    @router.post("/models/{name}/infer", summary="Inference", response_model=None)
    @router.post("/models/{name}/versions/{version}/infer", include_in_schema=False)
    async def infer(request: Request, name: str, version: str = VERSION) -> Response:
        model = _model(service, name, version)
        async with service.body(request) as body:
            head, tail = split(body, request.headers.get(JSON_LENGTH))
            wanted, works = await service.unpacked(
                lambda: _read(head, tail, name, service.settings.max_files), heavy=is_heavy_json(head)
            )
            outputs = _chosen(wanted)
            results = await service.results(request, works) if works else []
        return _answer(model, wanted, results, outputs)


def _read(head: bytes, tail: bytes, model: str, max_files: int) -> tuple[InferRequest, list[Work]]:
    wanted, payload = read_request(head, tail)
    threshold = threshold_option(wanted.parameters.get("threshold"), "parameters.threshold")
    return wanted, [Work(source, model, threshold) for source in read_pictures(wanted, payload, max_files)]


def _model(service: Service, name: str, version: str) -> ServedModel:
    if name not in service.engine.models or version != VERSION:
        raise UnknownModel(f"Request for unknown model: '{name[:80]}' version {version[:20]} is not found")
    return service.engine.models[name]


def _chosen(wanted: InferRequest) -> dict[str, bool]:
    """Output names, and whether each is sent as binary; all outputs if none is named. Raises BadOption."""
    every = bool(wanted.parameters.get("binary_data_output", False))
    names = [str(output["name"]) for output in OUTPUTS]
    if not wanted.outputs:
        return dict.fromkeys(names, every)
    for output in wanted.outputs:
        if output.name not in names:
            raise BadOption(f"unexpected inference output '{output.name[:80]}'; known: {', '.join(names)}")
    return {output.name: bool(output.parameters.get("binary_data", every)) for output in wanted.outputs}


def _answer(
    model: ServedModel, wanted: InferRequest, results: list[PictureResult], outputs: dict[str, bool]
) -> Response:
    arrays = {
        "bbox": np.concatenate([np.zeros((0, 6), np.float32), *map(_rows, results)]),
        "bbox_num": np.array([len(result.detections) for result in results], np.int32),
    }
    head: dict[str, Any] = {"model_name": model.name, "model_version": VERSION}
    if wanted.id is not None:
        head["id"] = wanted.id
    tensors = [OutputTensor(name, arrays[name], binary) for name, binary in outputs.items()]
    body, json_length = write_answer(head, tensors)
    if json_length is None:
        return Response(body, media_type="application/json")
    return Response(body, media_type="application/octet-stream", headers={JSON_LENGTH: str(json_length)})


def _rows(result: PictureResult) -> np.ndarray[Any, np.dtype[np.float32]]:
    found = result.detections
    return np.column_stack((found.class_ids.astype(np.float32), found.scores, found.boxes)).astype(np.float32)
