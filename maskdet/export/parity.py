"""The check that trainer, Paddle inference and ONNX Runtime give the same results for the same pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.detector.picture import read_reduced
from maskdet.detector.preprocess import to_batch
from maskdet.detector.runtime.onnx_runtime import OnnxSession
from maskdet.errors import ExportError
from maskdet.export.comparison import Arrays, Comparison, Judge, RawOutputs
from maskdet.export.settings import ExportSettings
from maskdet.system.flow import run_in_order
from maskdet.system.machine import core_count
from maskdet.types import FloatArray

BATCH_SIZES = (1, 8)
_LEAST_MATCHED = 0.98
"""Share of the detections after NMS: boxes with nearly equal scores may swap and suppress each other."""


@dataclass(frozen=True, slots=True)
class Parity:
    """All comparisons, the tolerances they must keep, and the number of pictures."""

    pictures: int
    score_tolerance: float
    box_tolerance: float
    comparisons: tuple[Comparison, ...]

    @property
    def score_difference(self) -> float:
        return max(item.score_difference for item in self.comparisons)

    @property
    def box_difference(self) -> float:
        return max(item.box_difference for item in self.comparisons)

    def to_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "score_difference": self.score_difference,
            "box_difference": self.box_difference,
        }

    def require(self) -> None:
        """Raise ExportError for the first comparison beyond tolerance or with too few matches."""
        for item in self.comparisons:
            # Written this way round since NaN is within no tolerance.
            near = item.score_difference <= self.score_tolerance and item.box_difference <= self.box_tolerance
            if not near or item.matched < _LEAST_MATCHED * item.detections:
                raise ExportError(
                    f"{item.between} disagree at batch {item.batch_size}: "
                    f"scores by {item.score_difference:.2g} (allowed {self.score_tolerance:g}), "
                    f"boxes by {item.box_difference:.2g} px (allowed {self.box_tolerance:g}), "
                    f"{item.matched} of {item.detections} matched",
                    "see `maskdet doctor` for untested versions; export.*_tolerance set the limits",
                )


def parity_batch(paths: Sequence[Path], count: int, input_size: tuple[int, int]) -> NDArray[np.uint8]:
    """`count` pictures spread evenly over `paths`, read as serving reads them, an all-black one and one of
    1x1: uint8 [N, H, W, 3].
    """
    places = np.unique(np.linspace(0, len(paths) - 1, min(count, len(paths))).round().astype(int))
    chosen = [read_reduced(paths[place], at_least=input_size).pixels for place in places]
    edge_cases = [np.zeros((240, 320, 3), np.uint8), np.full((1, 1, 3), 128, np.uint8)]
    return to_batch([*chosen, *edge_cases], input_size)


def compare(
    batch: NDArray[np.uint8],
    worker: Arrays,
    session: OnnxSession | None,
    settings: ExportSettings,
    counts: FloatArray,
) -> Parity:
    """Compare the outputs stored by the worker with those of the ONNX session.

    batch: uint8 [N, H, W, 3]; `counts` [C]: lowest score that counts, by class.
    """
    judge = Judge((int(batch.shape[1]), int(batch.shape[2])), counts)
    trainer, paddle = RawOutputs.of(worker, "trainer"), RawOutputs.of(worker, "paddle")
    largest = max(BATCH_SIZES)
    comparisons = [
        judge.compare("trainer and Paddle inference", largest, trainer, paddle),
        judge.compare_deployed("trainer and Paddle inference with NMS inside", largest, trainer, worker),
    ]
    for size, onnx in _onnx_outputs(session, batch):
        comparisons.append(judge.compare("trainer and ONNX Runtime", size, trainer, onnx))
        comparisons.append(judge.compare("Paddle inference and ONNX Runtime", size, paddle, onnx))
    return Parity(len(batch), settings.score_tolerance, settings.box_tolerance, tuple(comparisons))


def _onnx_outputs(session: OnnxSession | None, batch: NDArray[np.uint8]) -> Iterator[tuple[int, RawOutputs]]:
    """By batch size; nothing without a session."""
    if session is not None:
        tasks = [partial(_run, session, batch, size) for size in BATCH_SIZES]
        yield from zip(BATCH_SIZES, run_in_order(tasks, core_count()), strict=True)


def _run(session: OnnxSession, batch: NDArray[np.uint8], size: int) -> RawOutputs:
    parts = [session.run(batch[start : start + size]) for start in range(0, len(batch), size)]
    return RawOutputs(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
