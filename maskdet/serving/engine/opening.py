"""Opens a model's sessions on its device, as many and as wide as measure best."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, partial

from maskdet.detector.bundle import Bundle
from maskdet.detector.runtime.registry import open_session, shares_cores
from maskdet.detector.runtime.session import GpuOptions, Session
from maskdet.serving.engine.batching import BatchPlan, given_plan, plan_batches
from maskdet.serving.engine.daemon_thread import DaemonThread
from maskdet.serving.engine.sessions import Sessions, fastest, widths
from maskdet.serving.engine.sized_sessions import (
    OneAtATime,
    SizedSessions,
    TryOut,
    one_size_each,
    open_measured,
)
from maskdet.serving.settings import ServeSettings

Opened = Sessions | SizedSessions


class Opening:
    """Of one bundle, for `cores` cores."""

    def __init__(self, bundle: Bundle, settings: ServeSettings, *, cores: int) -> None:
        self._bundle, self._settings, self._cores = bundle, settings, cores
        self._on_cpu = shares_cores(settings.device)

    def first(self) -> tuple[Opened, BatchPlan]:
        """What answers until all is measured. Raises as `open_session`."""
        if one_size_each(self._settings):
            return SizedSessions({1: self._open_in_turn()}), BatchPlan()
        # The bundle's own session is one of these already.
        narrow = self._bundle.session if self._settings.device == "cpu" else self._open(1)
        wide = self._open(self._cores) if self._on_cpu and self._cores > 1 else narrow
        return Sessions(narrow, wide), given_plan(self._settings)

    def measured(self, first: Opened, run: TryOut) -> tuple[Opened, BatchPlan]:
        """The sessions to serve with, and how to fill their batches. Raises as `open_session` and `run`."""
        if isinstance(first, SizedSessions):
            return open_measured(self._open_in_turn, run, self._settings)
        sessions = self._widened(first, run) if self._on_cpu else first
        return sessions, plan_batches(partial(_run_each, tuple(sessions), run), self._settings)

    def _widened(self, first: Sessions, run: TryOut) -> Sessions:
        narrower = widths(self._cores)
        if not narrower:
            return first
        wide = {self._cores: first.wide, **{threads: self._open(threads) for threads in narrower}}
        return Sessions(first.narrow, fastest(wide, lambda session: run(session, 1)))

    @cached_property
    def _gpu_thread(self) -> DaemonThread:
        return DaemonThread("gpu")

    def _open_in_turn(self, memory_mb: int | None = None) -> Session:
        """Of one size, whose passes run one after another with those of all other sizes."""
        return OneAtATime(self._open(1, memory_mb), self._gpu_thread)

    def _open(self, threads: int, memory_mb: int | None = None) -> Session:
        """`memory_mb`: a share of a GPU's memory, in place of all that the settings allow."""
        settings = self._settings
        gpu = GpuOptions(memory_mb or settings.gpu_memory_mb, settings.tensorrt)
        return open_session(self._bundle.model, threads=threads, device=settings.device, gpu=gpu)


def _run_each(sessions: Iterable[Session], run: TryOut, pictures: int) -> None:
    for session in sessions:
        run(session, pictures)
