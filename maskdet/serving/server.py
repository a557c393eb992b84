"""The server process: listen, load, probe, answer, and end without losing an accepted request."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from maskdet.errors import MaskdetError, ServingError
from maskdet.serving.app import create_app
from maskdet.serving.connection import guarded
from maskdet.serving.engine import Engine, core_count
from maskdet.serving.model import ServedModel
from maskdet.serving.records import own_record, remove_record, write_record
from maskdet.serving.settings import ServeSettings

BACKLOG = 512
"""Connections that the system holds before they are accepted."""


def serve(bundle_path: Path, settings: ServeSettings, on_ready: Callable[[str], None]) -> None:
    """Serve a bundle until SIGTERM or Ctrl-C; then answer what was accepted and return.

    `on_ready` gets the server's URL once the model has answered its probe.
    Raises ServingError if the address cannot be had, BundleError or EnvironmentProblem for the model.
    """
    with listen(settings.host, settings.port) as listener:
        url = url_of(listener)
        model = ServedModel.load("", bundle_path, settings, cores=settings.threads or core_count())
        engine = Engine({model.name: model}, settings)
        server = MaskdetServer(engine, settings, lambda: on_ready(url))
        record = own_record(listener.getsockname()[1], url)
        write_record(record)
        try:
            server.run(sockets=[listener])
        finally:
            engine.close()
            remove_record(record)
    if server.failure is not None:
        raise server.failure


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises ServingError that says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise _unavailable(host, port, error) from error


def url_of(listener: socket.socket) -> str:
    """Where a client on this machine reaches the listener."""
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class MaskdetServer(uvicorn.Server):
    """uvicorn, but a signal first drains the engine while the port still answers, and the process exits 0."""

    def __init__(self, engine: Engine, settings: ServeSettings, on_ready: Callable[[], None]) -> None:
        super().__init__(_uvicorn_config(engine, settings))
        self.failure: MaskdetError | None = None
        self._engine = engine
        self._on_ready = on_ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._engine.start()
        await super().startup(sockets)
        self._spawn(self._probe())

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but the signals are not raised again at the end: a wanted stop is a success."""
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, a second one ends at once."""
        del sig, frame
        if self._engine.state == "draining" or self._loop is None:
            self.should_exit = self.force_exit = True
            return
        self._engine.drain()
        self._loop.call_soon_threadsafe(lambda: self._spawn(self._end()))

    async def _probe(self) -> None:
        try:
            await self._engine.probe()
        except MaskdetError as error:
            self.failure = error
            self.should_exit = True
            return
        if self._engine.state == "ready":
            self._on_ready()

    async def _end(self) -> None:
        await self._engine.drained()
        self.should_exit = True

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        # The loop keeps only weak references to tasks.
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _uvicorn_config(engine: Engine, settings: ServeSettings) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(engine, settings),
        http=guarded(settings),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=max(1, round(settings.keep_alive_seconds)),
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
        h11_max_incomplete_event_size=settings.max_header_bytes,
    )


def _unavailable(host: str, port: int, error: OSError) -> ServingError:
    if error.errno == errno.EADDRINUSE:
        return ServingError(
            f"port {port} of {host} is taken",
            f"choose another with --port (0 takes a free one), or `maskdet stop --port {port}`",
        )
    if error.errno == errno.EACCES:
        return ServingError(f"port {port} may not be opened by this user", "choose a port of 1024 or more")
    return ServingError(
        f"cannot listen on {host} port {port}: {error.strerror or error}",
        "give an address of this machine with --host, such as 127.0.0.1 or 0.0.0.0",
    )
