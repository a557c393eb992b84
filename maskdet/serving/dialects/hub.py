"""Shared by the two PaddleHub routes: module names and pictures in replies."""

from __future__ import annotations

import base64

from maskdet.serving.refusals import UnknownModel
from maskdet.serving.service import Service


def module_model(service: Service, module: str) -> str:
    """The name of the model behind a module name, empty for the default one. Raises UnknownModel."""
    if module in service.settings.hub_modules:
        return ""
    if module in service.engine.models:
        return module
    raise UnknownModel(f"Module {module[:80]} is not available.")


def jpeg_uri(drawn: bytes) -> str:
    """A drawn picture as PaddleHub 1.x sends it: `jpg`, though the registered type is image/jpeg."""
    return f"data:image/jpg;base64,{base64.b64encode(drawn).decode('ascii')}"


def is_true(text: str) -> bool:
    """A switch in a form."""
    return text.lower() not in ("", "0", "false", "no", "off")
