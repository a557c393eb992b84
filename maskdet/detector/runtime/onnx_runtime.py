"""ONNX Runtime behind one small class: threads, device, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from maskdet.detector.runtime.gpu_faults import gpu_fault
from maskdet.detector.runtime.providers import DOCTOR, FATAL, preload, providers
from maskdet.detector.runtime.session import WHOLE_GPU, GpuOptions
from maskdet.errors import BundleError, EnvironmentProblem
from maskdet.types import FloatArray

_SHARES = "4"  # ONNX Runtime's own advice


def open_session(model: bytes, *, threads: int, device: str, gpu: GpuOptions) -> OnnxSession:
    """As `Runtime`."""
    return OnnxSession(model, threads=threads, device=device, gpu=gpu)


class OnnxSession:
    """A loaded graph. Safe to run from many threads at once."""

    def __init__(
        self, model: bytes | Path, *, threads: int = 0, device: str = "cpu", gpu: GpuOptions = WHOLE_GPU
    ) -> None:
        """`threads`: for one run, 0 for as many as there are cores; `device`: cpu, gpu or gpu:N.

        Raises BundleError for bytes that are not an ONNX graph, EnvironmentProblem if the device is missing,
        UsageError for a device that does not exist.
        """
        chosen = providers(device, gpu)
        settings = ort.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        # Threads spin while waiting for their next share, but not after the run: the caller needs the cores.
        settings.add_session_config_entry("session.force_spinning_stop", "1")
        # Small shares: a thread delayed by another program does not delay the others.
        settings.add_session_config_entry("session.dynamic_block_base", _SHARES)
        settings.log_severity_level = FATAL
        source = str(model) if isinstance(model, Path) else model
        try:
            # Its own fallback would move a failing GPU's work to the CPU, with a printed line only.
            self._session = ort.InferenceSession(source, settings, providers=chosen, enable_fallback=0)
        # ONNX Runtime has a class for each kind of failure and no common base.
        except Exception as error:
            if device != "cpu":
                what, hint = gpu_fault(str(error)) or (str(error), DOCTOR)
                raise EnvironmentProblem(f"the model cannot be loaded on {device}: {what}", hint) from error
            raise BundleError(
                f"the model cannot be loaded: {error}", "check that the file is a complete ONNX model"
            ) from error
        self._session.disable_fallback()  # of runs, in releases that do not know the argument
        self._require(chosen[0][0], device)

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
            what, hint = gpu_fault(str(error)) or (str(error), "export the model again with this maskdet")
            raise BundleError(f"the model failed on a batch of {shape}: {what}", hint) from error
        return boxes, scores

    def _require(self, provider: str, device: str) -> None:
        # ONNX Runtime falls back to the CPU with only a log line.
        running = self._session.get_providers()[0]
        if running != provider:
            said = f": {preload()}" if preload() else ""
            raise EnvironmentProblem(
                f"asked for {device} ({provider}), but the model runs on {running}{said}", DOCTOR
            )
