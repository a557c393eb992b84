"""A tiny model behind the real application, in this process or in one of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from support import write_tiny_bundle

import maskdet
from maskdet.registry.version import Version
from maskdet.serving.app import create_app
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.settings import ServeSettings

SERVER_SCRIPT = Path(__file__).with_name("server_process.py")


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny.onnx")


class InProcess:
    """The application over a running engine; each call is one request, or `requests` for many at once."""

    def __init__(self, engine: Engine, settings: ServeSettings) -> None:
        self.engine = engine
        self.app = create_app(engine, settings)

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60)

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            async with self.client() as client:
                return await client.request(method, url, **options)

        return asyncio.run(one())

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self.request("POST", url, **options)


@contextmanager
def running_engine(bundle: Path, settings: ServeSettings, probed: bool = True) -> Iterator[Engine]:
    model = ServedModel.load("", bundle, settings, cores=2)
    engine = Engine({model.name: model}, settings)
    engine.start()
    try:
        if probed:
            asyncio.run(engine.probe())
        yield engine
    finally:
        engine.close()


@pytest.fixture
def in_process(tiny_bundle: Path) -> Iterator[Callable[..., InProcess]]:
    """A maker of applications; it takes ServeSettings as keywords, and `probed`."""
    left = []

    def make(*, probed: bool = True, **settings: Any) -> InProcess:
        wanted = ServeSettings(**settings)
        context = running_engine(tiny_bundle, wanted, probed)
        left.append(context)
        return InProcess(context.__enter__(), wanted)

    yield make
    for context in left:
        context.__exit__(None, None, None)


def loaded_model(name: str, source: Path | Version, settings: ServeSettings) -> ServedModel:
    if isinstance(source, Path):
        return ServedModel.load(name, source, settings, cores=2)
    return ServedModel.load(name, source.bundle, settings, cores=2, version=source)


@pytest.fixture
def of_models() -> Iterator[Callable[..., InProcess]]:
    """A maker of applications with several models or registered versions, by name; it takes ServeSettings
    as keywords.
    """
    with ExitStack() as left:

        def make(models: Mapping[str, Path | Version], **settings: Any) -> InProcess:
            wanted = ServeSettings(**settings)
            loaded = {name: loaded_model(name, source, wanted) for name, source in models.items()}
            engine = Engine(loaded, wanted)
            engine.start()
            left.callback(engine.close)
            asyncio.run(engine.probe())
            return InProcess(engine, wanted)

        yield make


@pytest.fixture(scope="session")
def start_engine() -> Any:
    """An application as a context, for fixtures that keep one for a whole module."""

    @contextmanager
    def start(bundle: Path, settings: ServeSettings) -> Iterator[InProcess]:
        with running_engine(bundle, settings) as engine:
            yield InProcess(engine, settings)

    return start


@pytest.fixture(scope="session")
def served(tiny_bundle: Path) -> Iterator[InProcess]:
    """One application with the default settings, for tests that leave it as it is."""
    settings = ServeSettings()
    with running_engine(tiny_bundle, settings) as engine:
        yield InProcess(engine, settings)


class ServerProcess:
    """The real server in a process of its own, on a free port."""

    def __init__(self, process: subprocess.Popen[str], url: str, log: Path) -> None:
        self.process = process
        self._log = log
        self.url = url
        self.port = int(url.rpartition(":")[2])

    def end(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def log(self) -> list[dict[str, Any]]:
        """The lines it has written; whole only once it has ended."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]


@contextmanager
def running_server(
    bundle: Path, runtime: Path, slow_ms: int = 0, before: Sequence[str] = (), **settings: Any
) -> Iterator[ServerProcess]:
    """A server process that is ready; killed at the end if it still runs. `before` precedes its command."""
    # To a file: nobody reads a pipe while the test runs, and a full one would stop the server.
    log = runtime / f"server-{len(list(runtime.iterdir()))}.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [
                *before,
                sys.executable,
                SERVER_SCRIPT,
                bundle,
                json.dumps({"port": 0, **settings}),
                str(slow_ms),
            ],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(Path(maskdet.__file__).parents[1]),
                "XDG_RUNTIME_DIR": str(runtime),
            },
        )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, log.read_text()
        yield ServerProcess(process, url, log)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def start_server() -> Any:
    """`running_server`, for fixtures that keep a server for a whole module."""
    return running_server


@pytest.fixture
def server_process(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ServerProcess]]:
    """A starter of servers; it takes ServeSettings as keywords, and `slow_ms` for each inference."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with ExitStack() as left:
        yield lambda **options: left.enter_context(running_server(tiny_bundle, tmp_path, **options))
