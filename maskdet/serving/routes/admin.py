"""For operators: POST /v1/admin/reload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from fastapi import APIRouter, Request, Response

from maskdet.serving.engine.reload import Reloaded
from maskdet.serving.http.access import note
from maskdet.serving.http.origin import require_program_here
from maskdet.serving.refusals import BundleRefused
from maskdet.serving.routes.native import json_response
from maskdet.serving.routes.openapi import problems
from maskdet.serving.routes.schemas import ReloadAnswer, ReloadedBody
from maskdet.serving.service import Service


class Reloading(Protocol):
    """Loads new bundles: in this process only, or in all workers of the server."""

    def refused(self) -> Mapping[str, str]:
        """By model: why its newest file was refused."""

    async def reload(self, name: str = "") -> Sequence[Reloaded]:
        """Check one model's file now, or all of them. Raises UnknownModel."""


RELOAD_HELP = """Reads each model again: the file that the server was started with, or the version that its
alias points to. A new bundle is loaded beside the old one, probed, and then serves all requests; one that
fails is refused, and the old one stays in use. With `?model=NAME` only that model is checked.

    curl -X POST -H "X-API-Key: $KEY" http://127.0.0.1:8866/v1/admin/reload

Requires an API key with the scope admin if the server has keys; otherwise it is accepted only from programs
on this machine.
"""


def admin_routes(service: Service, reloading: Reloading) -> APIRouter:
    """The routes under /v1/admin."""
    router = APIRouter(prefix="/v1/admin", tags=["operation"])

    @router.post(
        "/reload",
        summary="Load new bundles",
        description=RELOAD_HELP,
        response_model=ReloadAnswer,
        responses=problems(401, 403, 404, 409),
    )
    async def reload_models(request: Request, model: str = "") -> Response:
        if not service.settings.has_keys:
            require_program_here(request)
        found = await reloading.reload(model)
        note(request.scope, reloaded={one.name: one.outcome for one in found})
        refused = [f"{one.name}: {one.error}" for one in found if one.outcome == "refused"]
        if refused:
            raise BundleRefused(
                "; ".join(refused), "the old bundle stays in use; fix the file and reload again"
            )
        return json_response(_answer(found).model_dump_json(exclude_none=True))

    return router


def _answer(found: Sequence[Reloaded]) -> ReloadAnswer:
    entries = [
        ReloadedBody(name=one.name, bundle=one.bundle, version=one.version, outcome=one.outcome)
        for one in found
        if one.outcome != "refused"
    ]
    return ReloadAnswer(models=entries)
