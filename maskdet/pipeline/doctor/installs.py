"""The lines that install GPU builds of Paddle and ONNX Runtime for a driver."""

from __future__ import annotations

import sys
from typing import Final

from maskdet.pipeline.doctor.driver import Driver, Version, dotted

PADDLE: Final = "3.2.2"
PADDLE_CUDA: Final[tuple[Version, ...]] = ((12, 9), (12, 6), (11, 8))
"""CUDA versions that Paddle's own index has this release for, newest first."""
ONNXRUNTIME_CUDA_12: Final = "<1.27"
"""From 1.27 on, onnxruntime-gpu is built for CUDA 13."""
_ONNXRUNTIME_PYTHON_310: Final = "==1.23.2"
"""The last one for Python 3.10, built for CUDA 12."""
TOO_OLD: Final = "update the NVIDIA driver"


def onnxruntime_lines(driver: Driver, python: Version = sys.version_info[:2]) -> str:
    """Commands that put onnxruntime-gpu in the place of onnxruntime, with CUDA and cuDNN from pip.

    Both packages write the same folder, so neither may be there when the other is installed.
    """
    if driver.cuda[0] < 12:
        return TOO_OLD
    wanted = _ONNXRUNTIME_PYTHON_310 if python < (3, 11) else ""
    if not wanted and driver.cuda[0] == 12:
        wanted = ONNXRUNTIME_CUDA_12
    package = f'"onnxruntime-gpu[cuda,cudnn]{wanted}"'
    return f"pip uninstall -y onnxruntime onnxruntime-gpu, then pip install {package}"


def paddle_lines(driver: Driver) -> str:
    """Commands that put paddlepaddle-gpu in the place of paddlepaddle."""
    fitting = [cuda for cuda in PADDLE_CUDA if cuda <= driver.cuda]
    if not fitting:
        return TOO_OLD
    return (
        f"pip uninstall -y paddlepaddle, then pip install paddlepaddle-gpu=={PADDLE} --index-url INDEX, "
        f"where Paddle's install page gives INDEX for CUDA {dotted(fitting[0])}"
    )
