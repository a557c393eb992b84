"""For monitoring: whether the process is alive, would accept a request now, and its metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Response

from maskdet.serving.engine.engine import Engine
from maskdet.serving.http.unpacking import Unpacker
from maskdet.serving.routes.native import json_response
from maskdet.serving.routes.openapi import problems
from maskdet.serving.routes.schemas import HealthAnswer, served_bodies


def metrics_routes(engine: Engine, unpacker: Unpacker) -> APIRouter:
    """GET /metrics, for Prometheus."""
    router = APIRouter()

    def exposition() -> tuple[bytes, str]:
        engine.ledger.settle()
        return engine.metrics.exposition()

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        text, content_type = await unpacker.run(exposition, heavy=True)
        return Response(text, headers={"content-type": content_type})

    return router


def health_routes(engine: Engine, refused: Callable[[], Mapping[str, str]]) -> APIRouter:
    """The routes under /health; open to everyone, so they reveal the state and which model answers, no more.

    `refused`: by model, why its newest bundle was refused.
    """
    router = APIRouter(prefix="/health", tags=["health"])

    # Some load balancers ask by HEAD.
    @router.head("/live", include_in_schema=False)
    @router.get("/live", summary="The process answers", response_model=HealthAnswer)
    async def live() -> Response:
        return _answer(HealthAnswer(status="alive"))

    @router.head("/ready", include_in_schema=False)
    @router.get(
        "/ready",
        summary="The model has run and requests are accepted",
        response_model=HealthAnswer,
        responses=problems(503),
    )
    async def ready() -> Response:
        engine.check_ready()
        return _answer(HealthAnswer(status="ready", models=served_bodies(engine.models, refused())))

    return router


def _answer(answer: HealthAnswer) -> Response:
    return json_response(answer.model_dump_json(exclude_none=True))
