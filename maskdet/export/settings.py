"""The `export` section of pipeline.yml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from maskdet.settings import Section


class ExportSettings(Section):
    """What is written besides Paddle's inference format, and how closely it must agree."""

    onnx: bool = True
    """Write the bundle: one ONNX file with everything needed to run it."""
    nms: Literal["outside", "in-graph"] = "outside"
    """in-graph writes an additional ONNX, with NMS inside and batch 1, for PaddleDetection's ONNX script."""
    parity_pictures: int = Field(50, ge=1)
    """Validation pictures on which trainer, Paddle inference and ONNX Runtime are compared."""
    score_tolerance: float = Field(1e-3, gt=0)
    """Largest score difference allowed."""
    box_tolerance: float = Field(0.05, gt=0)
    """Largest box coordinate difference allowed, in pixels of the network input."""
