"""The interface of every inference library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from maskdet.types import FloatArray


class Session(Protocol):
    """A loaded network. Safe to run from many threads at once."""

    def run(self, batch: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """uint8 [N, H, W, 3] to boxes [N, A, 4] and scores [N, A, C]. Raises BundleError."""


@dataclass(frozen=True, slots=True)
class GpuOptions:
    """How a session uses a GPU; without meaning on a CPU."""

    memory_mb: int | None = None
    """Most MiB for tensors, besides what CUDA itself takes; None: as much as there is."""
    engines: Path | None = None
    """Folder for TensorRT's engines, which then runs the network; None: CUDA's own kernels."""


WHOLE_GPU: Final = GpuOptions()


class Runtime(Protocol):
    """How a module of this folder opens sessions."""

    def __call__(self, model: bytes, *, threads: int, device: str, gpu: GpuOptions) -> Session:
        """`model`: the ONNX file; `threads` of one run, 0 for all cores; `device` without the library's name.

        Raises BundleError for a network that it cannot load, EnvironmentProblem if the library or the device
        is missing, UsageError for a device that does not exist.
        """
