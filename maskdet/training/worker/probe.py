"""What Paddle sees of this machine, run in a worker so that the calling process stays light."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maskdet.training.worker.compat import paddle


def run(job: dict[str, Any], report: Callable[..., None]) -> None:
    """Reports version, whether the build has CUDA, and how many GPUs there are."""
    del job
    cuda = bool(paddle.device.is_compiled_with_cuda())
    gpus = int(paddle.device.cuda.device_count()) if cuda else 0
    names = [str(paddle.device.cuda.get_device_name(number)) for number in range(gpus)]
    report("done", version=str(paddle.__version__), cuda=cuda, gpus=names)
