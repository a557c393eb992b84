"""The server process: listen, load, probe, answer, and end without losing an accepted request."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from types import FrameType

import cv2
import uvicorn

from maskdet.errors import MaskdetError, ServingError, UsageError
from maskdet.serving.app import Application, create_app
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.labels import check_labels
from maskdet.serving.engine.memory import return_large_blocks
from maskdet.serving.engine.reload import Reloader
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.engine.source import Source
from maskdet.serving.http.access import RefusalLog
from maskdet.serving.http.connection import GuardedConnection, guarded
from maskdet.serving.process.link import Link
from maskdet.serving.process.listener import BACKLOG, Listener
from maskdet.serving.process.readiness import OnReady
from maskdet.serving.process.stop_signals import insists, stop_signals
from maskdet.serving.process.tidying import keep_tidy
from maskdet.serving.settings import ServeSettings
from maskdet.system.machine import core_count
from maskdet.wording.names import did_you_mean

SWITCH_SECONDS = 0.001
"""How long the event loop waits, at most, for the interpreter lock held by a thread in Python code."""
RETRY_SECONDS = 1.0
"""Delay before a failed background task restarts."""

logger = logging.getLogger("maskdet.server")


def run(
    models: Mapping[str, Source],
    settings: ServeSettings,
    listener: Listener,
    on_ready: OnReady,
    link: Link | None = None,
) -> None:
    """Answer a listener's connections until a signal. `link` leads to the other workers, if any."""
    _settle()
    cores = settings.threads or core_count()
    loaded = [
        (ServedModel.from_source(name, source, settings, cores=cores), source)
        for name, source in models.items()
    ]
    named = _by_name([model for model, _ in loaded])
    check_labels(tuple(named.values()), settings)
    check_second_model(named, settings)
    engine = Engine(named, settings)
    reloader = Reloader(engine, {model.name: source for model, source in loaded}, settings, cores=cores)
    server = MaskdetServer(engine, settings, reloader, on_ready, link)
    try:
        server.run(sockets=[listener])
    finally:
        engine.close()
    if server.failure is not None:
        raise server.failure


def _settle() -> None:
    """Process settings for a server that runs for days."""
    # The inference threads own the cores; OpenCV's own threads would only compete with them.
    cv2.setNumThreads(1)
    return_large_blocks()
    sys.setswitchinterval(SWITCH_SECONDS)
    # Modules stay loaded. Scanning them for garbage again and again takes a tenth of the event loop's time.
    # Models come after: what a swap leaves behind must still be collected.
    gc.collect()
    gc.freeze()


def _by_name(models: Sequence[ServedModel]) -> dict[str, ServedModel]:
    named = {model.name: model for model in models}
    if len(named) < len(models):
        names = ", ".join(model.name for model in models)
        raise UsageError(f"two models have the same name: {names}", "name each one: --model NAME=FILE")
    return named


def check_second_model(models: Iterable[str], settings: ServeSettings) -> None:
    """A typo would silently capture nothing. Raises UsageError."""
    wanted, names = settings.capture.second_model, list(models)
    if wanted and wanted not in names:
        hint = did_you_mean(wanted, names) or f"there are {', '.join(names)}"
        raise UsageError(f"serve.capture.second_model: there is no loaded model {wanted}", hint)


class MaskdetServer(uvicorn.Server):
    """uvicorn, but a signal first drains the engine while the port still answers, and the process exits 0."""

    def __init__(
        self,
        engine: Engine,
        settings: ServeSettings,
        reloader: Reloader,
        on_ready: OnReady,
        link: Link | None = None,
    ) -> None:
        app = create_app(engine, settings, link or reloader)
        refusals = RefusalLog(engine.metrics, engine.ledger)
        super().__init__(_uvicorn_config(app, settings, guarded(settings, refusals)))
        self.failure: MaskdetError | None = None
        self._engine = engine
        self._inbox = app.inbox
        self._reloader = reloader
        self._on_ready = on_ready
        self._link = link
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._engine.start()
        await super().startup(sockets)
        if self._link is not None:
            line = await self._link.connect()
            self._spawn(self._link.listen(line, self._reloader, self._drain))
            self._spawn(_again(self._engine.metrics.keep_fresh))
        if (inbox := self._inbox) is not None:
            self._spawn(_again(lambda: keep_tidy(inbox)))
        self._spawn(self._probe())

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Like uvicorn's, but the signals are not raised again at the end: a requested stop is a success."""
        before = {number: signal.signal(number, self.handle_exit) for number in stop_signals()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, a second one that `insists` ends it at once."""
        del frame
        draining = self._engine.state == "draining"
        if self._loop is None or (draining and insists(sig)):
            self.should_exit = self.force_exit = True
        elif not draining:
            self._engine.drain()
            self._loop.call_soon_threadsafe(lambda: self._spawn(self._end()))

    def _drain(self) -> None:
        if self._engine.state != "draining":
            self._engine.drain()
            self._spawn(self._end())

    async def _probe(self) -> None:
        await self._engine.probe()
        if self._engine.state == "ready":
            models = self._engine.models
            thresholds = {name: model.meta.describe_thresholds() for name, model in models.items()}
            batches = {name: model.batches.pictures for name, model in models.items()}
            said = {"models": sorted(models), "thresholds": thresholds, "max_batch": batches}
            logger.info("ready", extra={"fields": said})
            self._on_ready(thresholds)
            if self._reloader.watches:
                self._spawn(_again(self._reloader.watch))

    async def _end(self) -> None:
        await self._engine.drained()
        self.should_exit = True

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        """Start a task that the server cannot do without: if it fails, the server ends and says why."""
        # The loop keeps only weak references to tasks.
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if not isinstance(error, MaskdetError):
            logger.error("background task failed", exc_info=error)
            error = ServingError(
                f"the server cannot continue: {type(error).__name__}: {error}",
                "see the log for where it failed",
            )
        self.failure = self.failure or error
        self.should_exit = True


async def _again(work: Callable[[], Awaitable[None]]) -> None:
    """Start a task that the server can do without for a while: a failure is logged and the task restarts."""
    while not await _done(work):
        await asyncio.sleep(RETRY_SECONDS)


async def _done(work: Callable[[], Awaitable[None]]) -> bool:
    try:
        await work()
    except Exception:
        logger.exception("background task failed")
        return False
    return True


def _uvicorn_config(
    app: Application, settings: ServeSettings, connection: type[GuardedConnection]
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        backlog=BACKLOG if settings.workers == 1 else 1,  # see Listener
        # uvloop accepts all pending connections at once, leaving nothing for the other workers.
        loop="auto" if settings.workers == 1 else "asyncio",
        http=connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=max(1, round(settings.keep_alive_seconds)),
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
    )
