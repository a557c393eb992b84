"""Several server processes on one port: started, replaced when they die, and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from maskdet.errors import MaskdetError, ServingError
from maskdet.serving.engine.source import Source
from maskdet.serving.process.metrics_folder import metrics_folder
from maskdet.serving.process.readiness import OnReady
from maskdet.serving.process.stop_signals import insists, stop_signals
from maskdet.serving.process.worker_handle import WorkerProcess
from maskdet.serving.settings import ServeSettings
from maskdet.system.machine import core_count

FIRST_DELAY, LAST_DELAY = 0.1, 30.0
"""Seconds before a dead worker is replaced; doubled by each further death or failed start in a row."""
HEALTHY_SECONDS = 60.0
"""A worker that lived this long died of another cause than the one before it."""
GRACE_SECONDS = 5.0
"""Extra time for a stopping worker beyond its drain time before it is killed."""

logger = logging.getLogger("maskdet.supervisor")


def supervise(
    models: Mapping[str, Source],
    settings: ServeSettings,
    listener: socket.socket,
    on_ready: OnReady,
) -> None:
    """Run `settings.workers` processes on the listener until one of `stop_signals`.

    `on_ready` is called once, when all are ready. Raises the error that kept the first worker from starting,
    or ServingError if one had to be killed at the end.
    """
    if os.name != "posix":
        raise ServingError("several workers need a POSIX system", "leave --workers out")
    with metrics_folder() as folder:
        asyncio.run(Supervisor(models, settings, listener, on_ready, folder).run())


def cores_of(number: int, settings: ServeSettings) -> int:
    """The cores of worker `number`: an even share, and at least one."""
    each, over = divmod(core_count(), settings.workers)
    return settings.threads or max(1, each + (number < over))


class Supervisor:
    """Keeps one process alive in each slot."""

    def __init__(
        self,
        models: Mapping[str, Source],
        settings: ServeSettings,
        listener: socket.socket,
        on_ready: OnReady,
        metrics_folder: Path,
    ) -> None:
        self._models = models
        self._settings = settings
        self._listener = listener
        self._on_ready = on_ready
        self._metrics_folder = metrics_folder
        self._workers: dict[int, WorkerProcess] = {}
        self._stopping = asyncio.Event()
        self._all_ready = False
        self._round = asyncio.Lock()
        self._rounds: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until a signal, or until a worker cannot start."""
        loop = asyncio.get_running_loop()
        for number in stop_signals():
            loop.add_signal_handler(number, self._signalled, number)
        places = [asyncio.ensure_future(self._keep(place)) for place in range(self._settings.workers)]
        try:
            await asyncio.gather(*places)
        finally:
            self._stop()
            await asyncio.gather(*places, return_exceptions=True)

    def _signalled(self, number: int) -> None:
        """The first signal drains the workers, a second one that `insists` ends them at once."""
        if not self._stopping.is_set() or insists(number):
            self._stop()

    def _stop(self) -> None:
        self._stopping.set()
        # No one accepts any more: clients must see that, not wait for a response.
        self._listener.close()
        for worker in self._workers.values():
            worker.terminate()

    async def _keep(self, place: int) -> None:
        delay = FIRST_DELAY
        while not self._stopping.is_set():
            started = asyncio.get_running_loop().time()
            worker = await self._started(place, delay)
            if worker is not None:
                code = await self._lived(place, worker)
                if self._stopping.is_set():
                    return
                if not self._all_ready:
                    raise worker.failure or _died_early(worker.pid, code)
                lived = asyncio.get_running_loop().time() - started
                delay = FIRST_DELAY if lived > HEALTHY_SECONDS else delay
                _log_death(worker, code, delay)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(delay * 2, LAST_DELAY)

    async def _started(self, place: int, delay: float) -> WorkerProcess | None:
        """None if the system has no process for it at this moment; the others answer meanwhile."""
        try:
            return await self._start(place)
        except OSError as error:
            if not self._all_ready:
                raise
            fields = {"error": str(error), "tried_again_in_seconds": delay}
            logger.error("worker not started", extra={"fields": fields})
            return None

    async def _start(self, place: int) -> WorkerProcess:
        settings = self._settings.model_copy(update={"threads": cores_of(place, self._settings)})
        job = {
            "settings": settings.model_dump(mode="json"),
            "models": {name: [str(one.path.absolute()), one.reference] for name, one in self._models.items()},
        }
        worker = await WorkerProcess.start(job, self._listener, self._metrics_folder)
        self._workers[place] = worker
        if self._stopping.is_set():
            worker.terminate()
        return worker

    async def _lived(self, place: int, worker: WorkerProcess) -> int:
        """Wait for a worker's end; its exit status, negative for a signal."""
        ended = asyncio.ensure_future(worker.listen(self._note_ready, self._reload))
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((ended, stop), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await asyncio.wait((ended,), timeout=2 * self._settings.drain_seconds + GRACE_SECONDS)
            return await self._ended(worker, ended)
        finally:
            stop.cancel()
            del self._workers[place]
            _forget_gauges(worker.pid, self._metrics_folder)

    async def _ended(self, worker: WorkerProcess, ended: asyncio.Future[int]) -> int:
        if ended.done():
            return ended.result()
        worker.kill()
        await ended
        raise ServingError(
            f"worker {worker.pid} did not end in time and was killed", "see the log for what it was doing"
        )

    def _note_ready(self) -> None:
        ready = [worker for worker in self._workers.values() if worker.ready]
        if len(ready) == self._settings.workers and not self._all_ready:
            self._all_ready = True
            self._on_ready(ready[0].thresholds)

    def _reload(self, asker: WorkerProcess, model: str) -> None:
        task = asyncio.ensure_future(self._reload_all(asker, model))
        self._rounds.add(task)
        task.add_done_callback(self._rounds.discard)

    async def _reload_all(self, asker: WorkerProcess, model: str) -> None:
        """One round: all workers check the file, then the one that asked gets their outcomes."""
        async with self._round:
            workers = list(self._workers.values())
            answers = await asyncio.gather(
                *(worker.reload(model) for worker in workers), return_exceptions=True
            )
        for answer in answers:
            if isinstance(answer, BaseException):
                logger.error("reload failed", exc_info=answer)
        # Sent in any case: the worker that asked is waiting for it.
        asker.tell([one for answer in answers if not isinstance(answer, BaseException) for one in answer])


def _died_early(pid: int, code: int) -> MaskdetError:
    return ServingError(
        f"worker {pid} ended with status {code} before it was ready",
        "see the log for why; fewer workers need less memory",
    )


def _log_death(worker: WorkerProcess, code: int, delay: float) -> None:
    why = worker.failure.what if worker.failure else ""
    fields = {"worker": worker.pid, "exit_status": code, "error": why, "replaced_in_seconds": delay}
    logger.error("worker ended", extra={"fields": fields})


def _forget_gauges(pid: int, folder: Path) -> None:
    """Like prometheus_client's mark_process_dead, which would cost this small process a large import."""
    for path in folder.glob(f"gauge_live*_{pid}.db"):
        path.unlink(missing_ok=True)
