"""What ONNX Runtime's messages about a GPU mean, without the source lines that they are full of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Fault = tuple[str, str]
"""What is wrong, and what to do."""

_VISIBLE: Final = "nvidia-smi lists the GPUs, and CUDA_VISIBLE_DEVICES hides some; or use the device cpu"
_MEMORY: Final = "raise serve.gpu_memory_mb, lower serve.max_batch, or end other programs on the GPU"
_READINGS: Final[tuple[tuple[str, Callable[[re.Match[str]], Fault]], ...]] = (
    (
        r"Invalid device ID: (\d+), must be between 0 \(inclusive\) and (\d+)",
        lambda found: (f"there is no gpu:{found[1]}: CUDA sees {_named(int(found[2]))}", _VISIBLE),
    ),
    (r"no CUDA-capable device", lambda _: ("CUDA sees no GPU", _VISIBLE)),
    (
        r"Available memory of (\d+) is smaller than requested bytes of (\d+)",
        lambda found: (
            f"of the GPU's memory that it may use, {_mib(found[1])} MiB are left, and it needs "
            f"{_mib(found[2])} at once",
            _MEMORY,
        ),
    ),
    (r"Failed to allocate memory|out of memory", lambda _: ("the GPU has too little free memory", _MEMORY)),
)


def gpu_fault(said: str) -> Fault | None:
    """None for a message that is none of those known."""
    read = ((re.search(pattern, said), meaning) for pattern, meaning in _READINGS)
    return next((meaning(found) for found, meaning in read if found), None)


def _named(gpus: int) -> str:
    return "one GPU, gpu:0" if gpus == 1 else f"{gpus} GPUs, gpu:0 to gpu:{gpus - 1}"


def _mib(size: str) -> int:
    return int(size) // 2**20
