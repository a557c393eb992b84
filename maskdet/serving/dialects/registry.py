"""The dialects that a server speaks: each is a module of this folder, named in `settings.Dialect`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import get_args

from fastapi import APIRouter, Response

from maskdet.serving.service import Service
from maskdet.serving.settings import Dialect


def dialect_routes(service: Service) -> list[APIRouter]:
    """The routes of the dialects enabled in the settings."""
    return [module.routes(service) for module in _modules(service.settings.dialects)]


def open_cors_paths(dialects: Sequence[Dialect]) -> frozenset[str]:
    """Paths that the dialects' old browser pages have always called from another origin."""
    return frozenset(path for module in _modules(dialects) for path in getattr(module, "OPEN_CORS_PATHS", ()))


def error_forms(dialects: Sequence[Dialect]) -> dict[str, Callable[[Exception], Response]]:
    """How a dialect answers errors outside its routes, by the start of the paths that are its own."""
    return {
        module.OWN_PATHS: module.error_form for module in _modules(dialects) if hasattr(module, "OWN_PATHS")
    }


def _modules(dialects: Sequence[Dialect]) -> list[ModuleType]:
    # In the order of the type, not of the user's list: if two paths match a request, the first one wins.
    wanted = [name for name in get_args(Dialect) if name in dialects]
    return [import_module(f"maskdet.serving.dialects.{name}") for name in wanted]
