"""The job that turns a model in Paddle's inference format into ONNX as it is. Worker side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import paddle2onnx

from maskdet.errors import ExportError

OPSET = 14
"""The first with HardSwish as one operator."""


def run(job: dict[str, Any], report: Callable[..., None]) -> None:
    """Job keys: program (its weights beside it), out."""
    program = Path(job["program"])
    Path(job["out"]).write_bytes(convert(program, upgrade=True))
    report("done")


def convert(program: Path, *, upgrade: bool) -> bytes:
    """The ONNX file; with `upgrade` of a newer OPSET if an operator needs it.

    Raises ExportError if there is no output, which paddle2onnx does not report.
    """
    # Its optimiser may install packages at run time, so it stays off; onnxruntime optimises at load.
    content: bytes = paddle2onnx.export(
        str(program),
        str(program.with_suffix(".pdiparams")),
        opset_version=OPSET,
        auto_upgrade_opset=upgrade,
        enable_onnx_checker=True,
        enable_optimize=False,
        optimize_tool="None",
    )
    if not content:
        raise ExportError(
            f"paddle2onnx could not convert {program}",
            "see the log, and check versions with `maskdet doctor`",
        )
    return content
