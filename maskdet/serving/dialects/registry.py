"""Which dialects there are."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from maskdet.serving.dialects.clas_system import clas_system_routes
from maskdet.serving.dialects.flask_demo import flask_demo_routes
from maskdet.serving.dialects.hub_form import hub_form_routes
from maskdet.serving.dialects.hub_json import hub_json_routes
from maskdet.serving.dialects.learnpaddle import learnpaddle_routes
from maskdet.serving.dialects.oip import oip_routes
from maskdet.serving.dialects.paddlex import paddlex_routes
from maskdet.serving.dialects.serving_pipeline import serving_pipeline_routes
from maskdet.serving.service import Service
from maskdet.serving.settings import Dialect

# clas_system stands before hub_json, whose path /predict/{module} would take its requests.
ROUTES: dict[Dialect, Callable[[Service], APIRouter]] = {
    "hub_form": hub_form_routes,
    "clas_system": clas_system_routes,
    "hub_json": hub_json_routes,
    "flask_demo": flask_demo_routes,
    "learnpaddle": learnpaddle_routes,
    "serving_pipeline": serving_pipeline_routes,
    "paddlex": paddlex_routes,
    "oip": oip_routes,
}


def dialect_routes(service: Service) -> list[APIRouter]:
    """The routes of the dialects that the settings name."""
    return [routes(service) for name, routes in ROUTES.items() if name in service.settings.dialects]
