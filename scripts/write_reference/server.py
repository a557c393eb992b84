"""The server's application with all its routes, and no model: what it offers does not depend on one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from maskdet.serving.app import Application, create_app
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.metrics import Metrics
from maskdet.serving.routes.admin import Reloaded
from maskdet.serving.settings import ServeSettings


class _Reloading:
    """What makes the application offer its route for reloading."""

    def refused(self) -> Mapping[str, str]:
        return {}

    async def reload(self, name: str = "") -> Sequence[Reloaded]:
        raise NotImplementedError(name)


@cache
def _application() -> tuple[Application, Metrics]:
    settings = ServeSettings()
    engine = Engine({}, settings)
    return create_app(engine, settings, _Reloading()), engine.metrics


def openapi() -> dict[str, Any]:
    """The OpenAPI document of all routes."""
    return _application()[0].api.openapi()


def metrics() -> Metrics:
    """All metrics, without samples."""
    return _application()[1]
