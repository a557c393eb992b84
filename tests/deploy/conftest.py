"""A real server, and the module that puts the nginx example before servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from support import write_tiny_bundle

from maskdet.artefacts import BUNDLE
from rolling_update import proxied as module
from served import server


@pytest.fixture(scope="session")
def proxied() -> ModuleType:
    """The module that runs the nginx example; skips where it cannot."""
    if lacking := module.missing():
        pytest.skip(f"{lacking} is not installed")
    return module


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle."""
    folder = tmp_path_factory.mktemp("models")
    write_tiny_bundle(folder / BUNDLE)
    return folder


@pytest.fixture(scope="module")
def server_port(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server with the tiny model."""
    log = tmp_path_factory.mktemp("server") / "serve.log"
    with server(log, "--model", str(tiny_models / BUNDLE)) as address:
        yield int(address.rpartition(":")[2])
