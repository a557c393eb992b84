"""A GPU's sessions: each runs batches of one size, and together they keep to the memory of the settings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from maskdet.detector.runtime.registry import shares_cores
from maskdet.detector.runtime.session import Session
from maskdet.errors import BundleError, EnvironmentProblem, MaskdetError
from maskdet.serving.engine.batching import BatchPlan, measure, plan_measured, sizes_to_measure
from maskdet.serving.engine.daemon_thread import DaemonThread
from maskdet.serving.settings import ServeSettings
from maskdet.types import FloatArray

OVERHEAD = 4
"""Weights and workspace of a session, as large as this many pictures of a pass."""
OpenSession = Callable[[int], Session]
"""Opens a session with so many MiB for its tensors."""
TryOut = Callable[[Session, int], None]
"""Runs a pass of so many blank pictures."""

logger = logging.getLogger("maskdet.engine")


class OneAtATime:
    """A session whose passes all run in one thread, of its own or shared with other sessions.

    Two passes at once need twice the memory. And ONNX Runtime keeps handles of cuDNN and cuBLAS for each
    thread that has run a session: about 60 MiB that no limit covers.
    """

    def __init__(self, session: Session, thread: DaemonThread) -> None:
        self._session = session
        self._thread = thread

    def run(self, batch: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """Like `Session.run`."""
        return self._thread.submit(self._session.run, batch).result()


class SizedSessions:
    """Sessions by the size of their batches; what is missing in a batch is filled up with black pictures.

    ONNX Runtime plans every convolution on CUDA anew whenever the size of a batch differs from the one
    before, even back to one that it has had: seconds for a pass of milliseconds.
    """

    def __init__(self, sessions: Mapping[int, Session]) -> None:
        """By size, smallest first."""
        self._sessions = dict(sessions)

    @property
    def sizes(self) -> Sequence[int]:
        """Smallest first."""
        return tuple(self._sessions)

    def of(self, size: int) -> Session:
        """The one of this size."""
        return self._sessions[size]

    def only(self, sizes: Sequence[int]) -> SizedSessions:
        """Those of these sizes."""
        return SizedSessions({size: self._sessions[size] for size in sizes})

    def run(self, batch: NDArray[np.uint8], *, alone: bool = False) -> tuple[FloatArray, FloatArray]:
        """Like `Session.run`, for at most the largest size; `alone` makes no difference."""
        size = self._size_for(len(batch))
        boxes, scores = self._sessions[size].run(_filled(batch, size))
        return boxes[: len(batch)], scores[: len(batch)]

    def _size_for(self, pictures: int) -> int:
        for size in self._sessions:
            if size >= pictures:
                return size
        raise BundleError(
            f"a pass of {pictures} pictures is larger than the largest session, of {max(self._sessions)}",
            "report this; until then set serve.max_batch: 1",
        )


def one_size_each(settings: ServeSettings) -> bool:
    """Whether the model runs on CUDA itself: TensorRT builds an engine for a range of sizes."""
    return not shares_cores(settings.device) and settings.tensorrt is None


def open_measured(
    open_session: OpenSession, run: TryOut, settings: ServeSettings
) -> tuple[SizedSessions, BatchPlan]:
    """Those that pay, and how to fill their batches. Raises like `open_session` and `run`."""
    opened = (open_fitting if settings.max_batch == "auto" else open_all)(
        open_session,
        sizes_to_measure(settings),
        settings.gpu_memory_mb,
        run,
    )
    plan, used = plan_measured(seconds_by_size(opened, run), settings)
    return opened.only(used), plan


def open_all(open_session: OpenSession, sizes: Sequence[int], memory_mb: int, run: TryOut) -> SizedSessions:
    """A session for each size, after its first pass. Raises like `open_session` and `run`."""
    found: dict[int, Session] = {}
    mb = shares(memory_mb, sizes)
    # If the memory is too small, the largest one fails, and first of all.
    for size in sorted(sizes, reverse=True):
        found[size] = open_session(mb[size])
        run(found[size], size)
    return SizedSessions(dict(reversed(found.items())))


def open_fitting(
    open_session: OpenSession, sizes: Sequence[int], memory_mb: int, run: TryOut
) -> SizedSessions:
    """As many of these sizes, from the smallest one up, as the memory has room for.

    Raises like `open_session` and `run` if even the smallest one fails.
    """
    try:
        return open_all(open_session, sizes, memory_mb, run)
    except (BundleError, EnvironmentProblem) as error:
        if len(sizes) == 1:
            raise
        _report(sizes[-1], error)
    return open_fitting(open_session, sizes[:-1], memory_mb, run)


def seconds_by_size(sessions: SizedSessions, run: TryOut) -> dict[int, float]:
    """How long a pass of each size takes, smallest first."""
    return measure(lambda size: run(sessions.of(size), size), sessions.sizes)


def shares(memory_mb: int, sizes: Sequence[int]) -> dict[int, int]:
    """MiB by size, about in proportion to what a pass needs."""
    whole = sum(size + OVERHEAD for size in sizes)
    return {size: memory_mb * (size + OVERHEAD) // whole for size in sizes}


def _filled(batch: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    if len(batch) == size:
        return batch
    return np.concatenate([batch, np.zeros((size - len(batch), *batch.shape[1:]), np.uint8)])


def _report(pictures: int, error: MaskdetError) -> None:
    logger.warning("batch failed", extra={"fields": {"pictures": pictures, "error": error.what}})
