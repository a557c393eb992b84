"""The stages in their order. Each module only wires a package's verb; heavy imports wait until it runs."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from maskdet.pipeline.running.stage import Stage

_ORDER: Final = ("prepare", "config", "train", "eval", "export")
"""Modules of this folder, each with a `STAGE`."""
STAGES: Final[tuple[Stage, ...]] = tuple(import_module(f"{__name__}.{name}").STAGE for name in _ORDER)
