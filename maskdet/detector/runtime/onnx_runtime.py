"""ONNX Runtime behind one small class: threads, device, errors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from maskdet.errors import BundleError, EnvironmentProblem, UsageError
from maskdet.types import FloatArray

_DEVICE = re.compile(r"cpu|gpu(?::(\d+))?")
_SHARES = "4"  # ONNX Runtime's own advice
_QUIET = 3  # errors only: ONNX Runtime's warnings are about graph details that users cannot act on


def open_session(model: bytes, *, threads: int, device: str) -> OnnxSession:
    """As `Runtime`."""
    return OnnxSession(model, threads=threads, device=device)


class OnnxSession:
    """A loaded graph. Safe to run from many threads at once."""

    def __init__(self, model: bytes | Path, *, threads: int = 0, device: str = "cpu") -> None:
        """`threads`: for one run, 0 for as many as there are cores; `device`: cpu, gpu or gpu:N.

        Raises BundleError for bytes that are not an ONNX graph, EnvironmentProblem if the device is missing,
        UsageError for a device that does not exist.
        """
        provider, options = _provider(device)
        settings = ort.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        # Threads spin while waiting for their next share, but not after the run: the caller needs the cores.
        settings.add_session_config_entry("session.force_spinning_stop", "1")
        # Small shares: a thread delayed by another program does not delay the others.
        settings.add_session_config_entry("session.dynamic_block_base", _SHARES)
        settings.log_severity_level = _QUIET
        source = str(model) if isinstance(model, Path) else model
        try:
            self._session = ort.InferenceSession(source, settings, providers=[(provider, options)])
        # ONNX Runtime has a class for each kind of failure and no common base.
        except Exception as error:
            raise BundleError(
                f"the model cannot be loaded: {error}", "check that the file is a complete ONNX model"
            ) from error
        self._require(provider, device)

    @property
    def metadata(self) -> dict[str, str]:
        """The model's metadata_props."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def inputs(self) -> dict[str, tuple[str, list[Any]]]:
        """Name to element type, such as tensor(uint8), and shape; free dimensions are names or None."""
        return {node.name: (node.type, node.shape) for node in self._session.get_inputs()}

    @property
    def outputs(self) -> dict[str, tuple[str, list[Any]]]:
        """As `inputs`."""
        return {node.name: (node.type, node.shape) for node in self._session.get_outputs()}

    def run(self, batch: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """uint8 [N, H, W, 3] to boxes [N, A, 4] and scores [N, A, C]. Raises BundleError."""
        try:
            boxes, scores = self._session.run(["boxes", "scores"], {"image": batch})
        # As above: no common base.
        except Exception as error:
            shape = "x".join(map(str, batch.shape))
            raise BundleError(
                f"the model failed on a batch of {shape}: {error}", "export the model again with this maskdet"
            ) from error
        return boxes, scores

    def _require(self, provider: str, device: str) -> None:
        # ONNX Runtime falls back to the CPU with only a log line.
        running = self._session.get_providers()[0]
        if running != provider:
            raise EnvironmentProblem(
                f"asked for {device} ({provider}), but the model runs on {running}",
                "install onnxruntime-gpu with the CUDA libraries it names, or use the device cpu",
            )


def _provider(device: str) -> tuple[str, dict[str, str]]:
    known = _DEVICE.fullmatch(device)
    if known is None:
        raise UsageError(f"unknown device {device!r}", "use cpu, gpu or gpu:N, such as gpu:0")
    if device == "cpu":
        return "CPUExecutionProvider", {}
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise EnvironmentProblem(
            f"asked for {device}, but this ONNX Runtime has no CUDA",
            "pip install onnxruntime-gpu in place of onnxruntime, or use the device cpu",
        )
    return "CUDAExecutionProvider", {"device_id": known.group(1) or "0"}
