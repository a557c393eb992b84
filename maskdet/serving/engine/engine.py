"""The engine: one bounded queue, and inference threads that own the cores."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Literal

import anyio
import cv2
import numpy as np

from maskdet.errors import MaskdetError
from maskdet.serving.engine.daemon_thread import in_daemon
from maskdet.serving.engine.ledger import Ledger
from maskdet.serving.engine.metrics import Metrics
from maskdet.serving.engine.monitor import DriftGauges, Monitor
from maskdet.serving.engine.queue import Batch, Job, JobQueue
from maskdet.serving.engine.served_model import PictureResult, Prepared, ServedModel, Work, bundle_id
from maskdet.serving.engine.waiting import together
from maskdet.serving.refusals import Busy, Draining, NotReady, UnknownModel
from maskdet.serving.settings import ServeSettings
from maskdet.system.machine import core_count
from maskdet.system.native_thread import NativeThread

State = Literal["starting", "ready", "failed", "draining", "stopped"]
ResultOrError = PictureResult | MaskdetError
Claimed = tuple[Job[Work, PictureResult], ServedModel, Prepared]

SPARE_THREADS = 1
"""In addition to one per core: while a thread waits for the interpreter lock, another one runs."""
SPARE_SECONDS = 0.5
"""How long a picture that no client waits for is kept until the engine has nothing else to do."""
CLOSE_SECONDS = 2.0
"""How long a closing engine waits for its threads. Whoever wants results has waited for them before."""
PROBE_SUFFIXES = (".jpg", ".png")
"""The probe uses both decoders, so that no client waits for their first load."""

logger = logging.getLogger("maskdet.engine")


class Engine:
    """Turns pictures into results. Decoding and resizing run on the inference threads too.

    A picture that is alone in the engine gets as many cores as answer it fastest; when others wait or run,
    each pass uses one core (highest throughput).
    """

    def __init__(self, models: Mapping[str, ServedModel], settings: ServeSettings) -> None:
        """`models` by name; the first is the default. Raises ServingError for `monitor`'s folder."""
        self.ledger = Ledger()
        self.metrics = Metrics(settings.workers)
        self.monitor = Monitor(settings)
        self.metrics.add(DriftGauges(self.monitor, self.versions))
        self.metrics.watch(
            "queue_pictures", "Pictures waiting for a place in a pass", lambda: self.queue_depth
        )
        self.metrics.watch("ready", "1 if all workers accept requests, else 0", lambda: self.state == "ready")
        self._models = dict(models)
        for name, model in self._models.items():
            self.monitor.answers(name, model)
            self.metrics.serving(name, model)
        self._settings = settings
        count = settings.threads or core_count() + SPARE_THREADS
        self._queue: JobQueue[Work, PictureResult] = JobQueue(
            max_jobs=settings.max_queue, max_wait_seconds=settings.queue_seconds, threads=count
        )
        self._threads = [NativeThread(self._work, name=f"inference-{number}") for number in range(count)]
        self._expiry = threading.Thread(target=self._queue.keep_expiring, name="expiry", daemon=True)
        self.state: State = "starting"
        self.reason = "the model has not answered its probe yet"

    @property
    def models(self) -> Mapping[str, ServedModel]:
        """The loaded models by name; the first is the default."""
        return self._models

    def versions(self) -> dict[str, str]:
        """By model the first characters of its bundle's sha256."""
        return {name: bundle_id(model) for name, model in self._models.items()}

    def aliases(self) -> dict[str, str]:
        """By model the alias of the registry that it follows, "" if it follows none."""
        return {name: model.alias for name, model in self._models.items()}

    @property
    def queue_depth(self) -> int:
        """Pictures waiting."""
        return self._queue.depth

    def start(self) -> None:
        """Start the threads."""
        self.ledger.start()
        self.monitor.start()
        for thread in (*self._threads, self._expiry):
            thread.start()

    async def probe(self) -> None:
        """Run each model once end to end; then the engine is ready, or has failed and says why. One that is
        drained meanwhile is neither.

        Clients may have sent more than fits by then: the probe waits for no place in the queue.
        """
        try:
            for name, model in self._models.items():
                await in_daemon("probe", model.probe)
                for suffix in PROBE_SUFFIXES:
                    job = self._queue.put_first(Work(_blank(suffix), model=name))
                    await asyncio.wrap_future(job.future)
        except Draining:
            return
        except Exception as error:
            self.state = "failed"
            self.reason = error.what if isinstance(error, MaskdetError) else "the model fails; see the log"
            raise
        if self.state == "starting":
            self.state, self.reason = "ready", ""

    def check_ready(self) -> None:
        """Raise NotReady with the reason unless a request would be accepted now."""
        if self.state != "ready":
            raise NotReady(self.reason, "try again in a moment")

    def check_room(self) -> None:
        """Raise Busy or Draining if a request would be refused now: cheaper than reading its body first."""
        self._queue.check_room()

    async def submit(self, work: Work) -> PictureResult:
        """One picture's result. Raises PictureError, BadOption, UnknownModel, Busy or Draining."""
        [outcome] = await self.submit_all([work])
        if isinstance(outcome, MaskdetError):
            raise outcome
        return outcome

    def spare(self, work: Work) -> PictureResult | None:
        """One picture's result while nothing else waits or runs; None if that does not happen soon.

        Waits, so it is not for the event loop. Raises PictureError, BadOption, UnknownModel or BundleError.
        """
        self._model(work.model).thresholds(work.threshold)
        deadline = time.monotonic() + SPARE_SECONDS
        while not self._queue.idle:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.005)
        try:
            [job] = self._queue.put([work])
            return job.future.result()
        except Busy:
            return None

    def submit_all(self, works: Sequence[Work]) -> asyncio.Future[list[ResultOrError]]:
        """Accept all of one request's pictures or none; each is answered with a result or its own error.

        Cancelling the future drops what has not started. Raises UnknownModel, BadOption, Busy or Draining.
        """
        for work in works:
            self._model(work.model).thresholds(work.threshold)
        return together([job.future for job in self._queue.put(works)])

    def swap(self, name: str, model: ServedModel) -> None:
        """Use `model`, which has been probed, under this name from the next batch on."""
        self.monitor.answers(name, model)
        # One assignment of a new mapping: threads see either the old one or the new one.
        self._models = {**self._models, name: model}
        self.metrics.serving(name, model)

    def drain(self) -> None:
        """Refuse new work from now on. Accepted work is still finished."""
        self._queue.drain()
        self.state, self.reason = "draining", "the server is stopping"

    async def drained(self) -> bool:
        """Wait until all accepted work is finished; False if `drain_seconds` was not enough."""
        with anyio.move_on_after(self._settings.drain_seconds):
            while not self._queue.idle:
                await asyncio.sleep(0.01)
        return self._queue.idle

    def close(self) -> None:
        """Stop the threads; each finishes what it has begun, if it can soon."""
        self._queue.close()
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in (*self._threads, self._expiry):
            if thread.is_alive():
                thread.join(max(0, deadline - time.monotonic()))
        self.ledger.close()
        self.monitor.close()
        self.state, self.reason = "stopped", "the server has stopped"

    def _model(self, name: str) -> ServedModel:
        if not name:
            return next(iter(self._models.values()))
        if name not in self._models:
            raise UnknownModel.named(name, self._models)
        return self._models[name]

    def _work(self) -> None:
        while (batch := self._take()) is not None:
            started = time.perf_counter()
            try:
                self._answer(batch, started)
            # The thread must survive any batch, and no caller may wait forever.
            except Exception as error:
                logger.exception("batch failed")
                _fail(batch, error)
            finally:
                self._queue.done(batch, time.perf_counter() - started)

    def _take(self) -> Batch[Work, PictureResult] | None:
        # Which models the waiting pictures are for is not known yet.
        plan = max((model.batches for model in self._models.values()), key=lambda plan: plan.pictures)
        return self._queue.take(plan.pictures, plan.wait_seconds, waits_idle=plan.waits_idle)

    def _answer(self, batch: Batch[Work, PictureResult], started: float) -> None:
        claimed = [one for job in batch.jobs if (one := self._claim(job, started)) is not None]
        # Pictures of different models cannot share a pass.
        for model in {id(model): model for _, model, _ in claimed}.values():
            own, most = [one for one in claimed if one[1] is model], model.batches.pictures
            for start in range(0, len(own), most):
                self._detect(model, own[start : start + most], batch.alone)

    def _claim(self, job: Job[Work, PictureResult], started: float) -> Claimed | None:
        """The model used is the one loaded when work starts, so a swap needs no pause."""
        try:
            model = self._model(job.work.model)
            return job, model, model.prepare(job.work, (started - job.accepted) * 1000)
        # The thread must survive any picture; its error goes to the caller.
        except Exception as error:  # noqa: BLE001
            job.future.set_exception(error)
            return None

    def _detect(self, model: ServedModel, claimed: list[Claimed], alone: bool) -> None:
        try:
            self.metrics.batch(len(claimed))
            outcomes = model.detect([prepared for _, _, prepared in claimed], alone=alone)
        except Exception as error:  # noqa: BLE001  (as above)
            for job, _, _ in claimed:
                job.future.set_exception(error)
            return
        for (job, _, _), outcome in zip(claimed, outcomes, strict=True):
            _settle(job, outcome)


def _settle(job: Job[Work, PictureResult], outcome: PictureResult | Exception) -> None:
    if isinstance(outcome, Exception):
        job.future.set_exception(outcome)
    else:
        job.future.set_result(outcome)


def _fail(batch: Batch[Work, PictureResult], error: Exception) -> None:
    for job in batch.jobs:
        if not job.future.done():
            job.future.set_exception(error)


def _blank(suffix: str) -> bytes:
    _, data = cv2.imencode(suffix, np.zeros((64, 64, 3), np.uint8))
    return bytes(data)
