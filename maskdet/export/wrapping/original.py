"""An exported graph as it came, run on one picture at a time, as PaddleDetection's script does."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from maskdet.errors import ExportError
from maskdet.export.wrapping.forms import Export, Form
from maskdet.types import FloatArray

_QUIET = 4  # failures are raised; ONNX Runtime would print them as well


class Original:
    """The graph, and with NMS inside also the tensors that enter it."""

    def __init__(self, model: onnx.ModelProto, export: Export, input_size: tuple[int, int]) -> None:
        """Raises ExportError if ONNX Runtime cannot load it."""
        self.export = export
        self._sides = {"scale_factor": np.ones((1, 2), np.float32), "im_shape": _row(input_size)}
        self._tensors = list(export.outputs)
        watched = onnx.ModelProto()
        watched.CopyFrom(model)
        if export.form is Form.NMS:
            node = next(node for node in watched.graph.node if node.op_type == "NonMaxSuppression")
            self._tensors = list(node.input[:2])
            watched.graph.output.extend(
                onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
                for name in self._tensors
            )
        settings = ort.SessionOptions()
        settings.log_severity_level = _QUIET
        settings.intra_op_num_threads = 1
        try:
            self._session = ort.InferenceSession(
                watched.SerializeToString(), settings, providers=["CPUExecutionProvider"]
            )
        # ONNX Runtime has a class for each kind of failure and no common base.
        except Exception as error:
            raise ExportError(
                f"ONNX Runtime cannot load the graph: {error}", "convert it again with another paddle2onnx"
            ) from error

    def rows(self, image: FloatArray, scale: FloatArray) -> FloatArray:
        """[K, 6] class, score and box in pixels of the picture; none where the graph fails, which PicoDet's
        with NMS inside does on a picture without a candidate.
        """
        try:
            [rows] = self._run(image, [self.export.outputs[0]], scale)
        except ExportError:
            return np.zeros((0, 6), np.float32)
        return np.asarray(rows, np.float32).reshape(-1, 6)

    def tensors(self, image: FloatArray) -> list[NDArray[Any]]:
        """The outputs at scale 1; with NMS inside, boxes [1, A, 4] and scores [1, C, A] that enter it."""
        return self._run(image, self._tensors, self._sides["scale_factor"])

    def classes(self, input_size: tuple[int, int]) -> int:
        """How many classes the scores have."""
        outputs = self.tensors(np.zeros((1, 3, *input_size), np.float32))
        return int(outputs[0].shape[2] if self.export.form is Form.HEADS else outputs[1].shape[1])

    def _run(self, image: FloatArray, wanted: list[str], scale: FloatArray) -> list[NDArray[Any]]:
        sides = {**self._sides, "scale_factor": scale}
        feed = {self.export.image: image, **{name: sides[name] for name in self.export.side_inputs}}
        try:
            outputs: list[NDArray[Any]] = self._session.run(wanted, feed)
        # As above: no common base.
        except Exception as error:
            raise ExportError(
                f"the graph does not run on an image of {'x'.join(map(str, image.shape))}: {error}",
                "the target_size of infer_cfg.yml has to be the size that the graph was exported with",
            ) from error
        return outputs


def _row(size: tuple[int, int]) -> FloatArray:
    return np.array([size], np.float32)
