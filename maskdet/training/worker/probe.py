"""What Paddle sees of this machine, run in a worker so that the calling process stays light."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maskdet.training.worker.compat import paddle


def run(job: dict[str, Any], report: Callable[..., None]) -> None:
    """Reports what is `seen`."""
    del job
    report("done", **seen())


def seen() -> dict[str, Any]:
    """Version, the CUDA and cuDNN that the build is for ("" without), and the GPUs' names."""
    cuda = bool(paddle.device.is_compiled_with_cuda())
    gpus = int(paddle.device.cuda.device_count()) if cuda else 0
    return {
        "version": str(paddle.__version__),
        "cuda": str(paddle.version.cuda()) if cuda else "",
        "cudnn": str(paddle.version.cudnn()) if cuda else "",
        "gpus": [str(paddle.device.cuda.get_device_name(number)) for number in range(gpus)],
    }
