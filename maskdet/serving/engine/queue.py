"""The bounded queue between the event loop and the inference threads."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from maskdet.serving.refusals import Busy, Draining

W = TypeVar("W")
R = TypeVar("R")

FORGETTING = 0.1
"""Weight of the newest service time in the running mean that predicts waits."""
CAUTION = 0.75
"""Share of the longest wait up to which a predicted wait is accepted. Predictions err, and a job refused on
arrival can go elsewhere at once, while one that waited in vain has lost its time.
"""


class Group:
    """The pictures of one request. Once the first has started, the others wait as long as it takes."""

    __slots__ = ("begun",)

    def __init__(self, *, begun: bool = False) -> None:
        self.begun = begun


@dataclass(eq=False, slots=True)
class Job(Generic[W, R]):
    """One piece of work, the future of its result, and when it was accepted (time.perf_counter)."""

    work: W
    group: Group
    future: Future[R] = field(default_factory=Future)
    accepted: float = field(default_factory=time.perf_counter)


class Batch(NamedTuple, Generic[W, R]):
    """Jobs for one thread. `alone`: nothing else waits or runs."""

    jobs: list[Job[W, R]]
    alone: bool


class JobQueue(Generic[W, R]):
    """First come, first served, for `threads` takers; safe to use from any thread.

    A job is refused with Busy if `max_jobs` wait, or if those before it might keep it waiting for longer than
    `max_wait_seconds`; a job that has waited longer anyway fails with Busy.
    """

    def __init__(self, *, max_jobs: int, max_wait_seconds: float, threads: int) -> None:
        self._max_jobs = max_jobs
        self._max_wait = max_wait_seconds
        self._threads = threads
        self._waiting: deque[Job[W, R]] = deque()
        self._running = 0
        self._service_seconds = 0.0
        self._draining = False
        self._closing = threading.Event()
        self._changed = threading.Condition()

    @property
    def depth(self) -> int:
        """Jobs waiting."""
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether nothing waits or runs."""
        with self._changed:
            return not self._waiting and not self._running

    def check_room(self, count: int = 1) -> None:
        """Raise Busy or Draining if `count` jobs would be refused now."""
        with self._changed:
            self._check_room(count)

    def put(self, works: Sequence[W]) -> list[Job[W, R]]:
        """Accept all of one request's pictures or none. Raises Busy or Draining."""
        group = Group()
        jobs: list[Job[W, R]] = [Job(work, group) for work in works]
        with self._changed:
            self._check_room(len(jobs))
            self._waiting.extend(jobs)
            self._changed.notify(len(jobs))
        for job in jobs:
            job.future.add_done_callback(lambda _, job=job: self._forget(job))  # type: ignore[misc]
        return jobs

    def put_first(self, work: W) -> Job[W, R]:
        """Accept one piece of work before all that waits, however much that is. Raises Draining."""
        job: Job[W, R] = Job(work, Group(begun=True))
        with self._changed:
            if self._draining:
                raise _stopping()
            self._waiting.appendleft(job)
            self._changed.notify()
        return job

    def take(
        self, max_jobs: int = 1, wait_seconds: float = 0, *, waits_idle: bool = True
    ) -> Batch[W, R] | None:
        """Wait for work; None once the queue is closed. Each batch must be returned with `done`.

        An incomplete batch waits for more jobs, without `waits_idle` only while another one runs.
        """
        with self._changed:
            while not self._waiting:
                if self._closing.is_set():
                    return None
                self._changed.wait()
            self._running += 1
            if wait_seconds and (waits_idle or self._running > 1):
                self._changed.wait_for(
                    lambda: len(self._waiting) >= max_jobs or self._closing.is_set(), wait_seconds
                )
            taken = [self._waiting.popleft() for _ in range(min(max_jobs, len(self._waiting)))]
            alone = self._running == 1 and not self._waiting
        jobs = [job for job in taken if self._begin(job)]
        return Batch(jobs, alone and len(jobs) == 1)

    def keep_expiring(self) -> None:
        """Fail each job whose time is over even if no taker comes back for it; until the queue is closed."""
        while (overdue := self._await_overdue()) is not None:
            for job in overdue:
                if job.future.set_running_or_notify_cancel():
                    _refuse(job)

    def done(self, batch: Batch[W, R], seconds: float) -> None:
        """Return a batch; the `seconds` it took refine the prediction of waits."""
        with self._changed:
            self._running -= 1
            if batch.jobs:
                each = seconds / len(batch.jobs)
                known = self._service_seconds or each
                self._service_seconds = known + FORGETTING * (each - known)

    def drain(self) -> None:
        """Refuse new work from now on; accepted jobs are still handed out."""
        with self._changed:
            self._draining = True

    def close(self) -> None:
        """Release the takers; jobs still waiting fail with Draining."""
        with self._changed:
            self._draining = True
            self._closing.set()
            left = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for job in left:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(_stopping())

    def _check_room(self, count: int) -> None:
        if self._draining:
            raise _stopping()
        if len(self._waiting) + count > self._max_jobs:
            raise Busy(f"{len(self._waiting)} pictures are waiting already", "send the request again later")
        wait = len(self._waiting) * self._service_seconds / self._threads
        bearable = CAUTION * self._max_wait
        if wait > bearable:
            raise Busy(
                f"the wait might be {wait / CAUTION:.1f} s, more than {self._max_wait:g} s",
                "send the request again later",
                max(1, round(wait - bearable)),
            )

    def _begin(self, job: Job[W, R]) -> bool:
        if not job.future.set_running_or_notify_cancel():
            return False
        if self._left(job) < 0:
            _refuse(job)
            return False
        job.group.begun = True
        return True

    def _left(self, job: Job[W, R]) -> float:
        """Seconds that a job may still wait."""
        return math.inf if job.group.begun else job.accepted + self._max_wait - time.perf_counter()

    def _await_overdue(self) -> list[Job[W, R]] | None:
        """Those that have waited too long, removed from the queue; None once it is closed."""
        with self._changed:
            soonest = min((self._left(job) for job in self._waiting), default=math.inf)
        # What comes meanwhile may wait at least as long.
        if self._closing.wait(max(0, min(soonest, self._max_wait))):
            return None
        with self._changed:
            overdue = [job for job in self._waiting if self._left(job) < 0]
            for job in overdue:
                self._waiting.remove(job)
        return overdue

    def _forget(self, job: Job[W, R]) -> None:
        # A cancelled job frees its place in the queue at once.
        if job.future.cancelled():
            with self._changed:
                if job in self._waiting:
                    self._waiting.remove(job)


def _refuse(job: Job[W, R]) -> None:
    waited = time.perf_counter() - job.accepted
    job.future.set_exception(Busy(f"the picture waited {waited:.1f} s", "send the request again later"))


def _stopping() -> Draining:
    return Draining("the server is stopping and takes no new work", "send the request again in a moment")
