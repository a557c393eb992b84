"""What a server loads before it answers: it must start at once, and several workers need no large parent."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "never"),
    [
        (
            "maskdet.serving.process.worker",
            {"lxml", "matplotlib", "onnx", "paddle", "pandas", "ppdet", "scipy"},
        ),
        (
            "maskdet.serving.process.supervisor",
            {"cv2", "fastapi", "numpy", "onnxruntime", "prometheus_client"},
        ),
        ("maskdet.serving.process.serve", {"cv2", "fastapi", "numpy", "onnxruntime", "uvicorn"}),
    ],
)
def test_start_loads_nothing_that_it_does_not_need(module: str, never: set[str]) -> None:
    code = f"import {module}, sys; print(*sorted({{one.partition('.')[0] for one in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not set(done.stdout.split()) & never
