"""GET /v1/monitor: what the server has seen by hour, camera and version, and what has drifted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maskdet.drift.settings import LIMIT
from maskdet.drift.view import View
from maskdet.drift.viewer import Viewer
from maskdet.serving.engine.monitor import WRITE_SECONDS
from maskdet.serving.http.by_hand import ByHand
from maskdet.serving.http.inputs import bad_option, query_of
from maskdet.serving.http.unpacking import Unpacker
from maskdet.serving.refusals import BadOption, UnknownModel
from maskdet.serving.routes.native import json_response
from maskdet.serving.routes.openapi import problems, query_options
from maskdet.serving.service import Service

HELP = """Counts by hour of what one model saw, and its drift: the population stability index of each feature
between the model's own answers on val and what it sees, where there are enough samples to tell.

    curl "http://127.0.0.1:8866/v1/monitor?hours=168&camera=gate-1"
"""
MOST_HOURS: Final = 24 * 366


class MonitorOptions(BaseModel):
    """What to show."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    hours: int = Field(24, ge=1, le=MOST_HOURS)
    """How far to look back; no further than the server keeps."""
    model: str = ""
    """Name of a loaded model; the default one if it is empty."""
    version: str = ""
    """The version whose features are compared; the one that answers if it is empty."""
    camera: str | None = None
    """Only pictures with this X-Camera; empty for those without one."""


def monitor_routes(service: Service, unpacker: Unpacker) -> APIRouter:
    """GET /v1/monitor."""
    router = APIRouter(prefix="/v1", tags=["operation"], route_class=ByHand)

    @router.get(
        "/monitor",
        summary="What the server has seen, and what has drifted",
        description=HELP,
        response_model=View,
        responses=problems(401, 404, 422),
        openapi_extra=query_options(MonitorOptions),
    )
    async def monitor(request: Request) -> Response:
        try:
            options = MonitorOptions.model_validate(query_of(request))
        except ValidationError as error:
            raise bad_option(error, MonitorOptions) from error
        # Before the history, which knows what answered before it was taken, but no version of a later swap.
        serving = service.engine.versions()
        name, version = _shown(serving, options)
        # Hours are read from the disk, and many comparisons take a while.
        text = await unpacker.run(lambda: _view(service, serving, options, name, version), heavy=True)
        return json_response(text)

    return router


def _shown(serving: Mapping[str, str], options: MonitorOptions) -> tuple[str, str]:
    name = options.model or next(iter(serving))
    if name not in serving:
        raise UnknownModel.named(name, serving)
    return name, options.version or serving[name]


def _view(
    service: Service, serving: Mapping[str, str], options: MonitorOptions, name: str, version: str
) -> str:
    monitor = service.engine.monitor
    service.engine.ledger.settle()
    history = monitor.history(options.hours)
    if version != serving[name] and not history.knows(name, version):
        raise BadOption(
            f"version: {name} has no version {version[:40]!r} here", "leave it out for the present one"
        )
    viewer = Viewer(history, serving, LIMIT, options.camera, aliases=service.engine.aliases())
    return viewer.view(name, version, kept=monitor.kept, delay_seconds=WRITE_SECONDS).model_dump_json()
