from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

import pytest
from fastapi import APIRouter

from maskdet.serving.dialects import registry
from maskdet.serving.engine.engine import Engine
from maskdet.serving.settings import Dialect, ServeSettings

FOLDER = Path(registry.__file__).parent


def test_every_module_with_routes_is_a_dialect() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py") if "\ndef routes(" in path.read_text("utf-8")}
    assert modules == set(get_args(Dialect))


def test_a_further_dialect_is_one_module_and_its_name(
    in_process: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("maskdet.serving.dialects.morse")
    module.routes = _morse  # type: ignore[attr-defined]
    module.OPEN_CORS_PATHS = ("/morse",)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(registry, "Dialect", Literal["oip", "morse"])

    server = in_process()
    settings = ServeSettings(cors_origins=("https://own.example",)).model_copy(
        update={"dialects": ("morse",)}
    )
    server = type(server)(Engine(server.engine.models, settings), settings)
    answer = server.get("/morse", headers={"origin": "https://old.example"})
    assert answer.json() == "dot dash"
    assert "vary" not in answer.headers, "its path is left to the dialect"
    assert server.get("/v2/health/ready").status_code == 404, "oip was not asked for"


@pytest.mark.parametrize("order", [("hub_json", "clas_system"), ("clas_system", "hub_json")])
def test_the_order_in_the_settings_takes_no_request_from_a_dialect(
    in_process: Callable[..., Any], order: tuple[str, ...]
) -> None:
    answer = in_process(dialects=order).post("/predict/clas_system", json={"images": []}).json()
    assert "results" in answer, "PaddleClas answers; PaddleHub would name an unknown module"
    assert "clas_system" not in str(answer)


def _morse(service: object) -> APIRouter:
    router = APIRouter()
    router.add_api_route("/morse", lambda: "dot dash")
    return router
