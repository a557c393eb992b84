"""Ray for the time of one command: a cluster if RAY_ADDRESS names one, else processes of this machine."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from secrets import token_hex
from typing import Any, Final

from maskdet.errors import EnvironmentProblem
from maskdet.extras import require

ADDRESS: Final = "RAY_ADDRESS"
_QUIET: Final = {
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_PROMPT_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_ON_LOOPBACK: Final = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": token_hex(32),
}
"""On Linux, Ray listens on all addresses unless it is told that this system cannot form a cluster. And other
users of this machine are kept out by a token, of which Ray remembers the first in a process."""
_STORE_BYTES: Final = 128 * 2**20
"""Of shared memory: only paths and detections pass through it."""


@contextmanager
def ray_session(workers: int) -> Iterator[Any]:
    """The `ray` module, connected. A local one listens on loopback only, and leaves no file behind.

    Ray reads its environment at its first import, which must be this one.

    Raises EnvironmentProblem if Ray is not installed or does not start.
    """
    require("ray", "ray", asks="--engine ray needs")
    with _environment():
        import ray

        _silence()
        # Short: its sockets lie there, and the name of a socket has 107 bytes at most.
        folder = tempfile.mkdtemp(prefix="md-ray-")
        try:
            _connect(ray, workers, folder)
            yield ray
        finally:
            ray.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _environment() -> Iterator[None]:
    """Ray's own processes inherit it; a user's values for a cluster win."""
    local = {} if os.environ.get(ADDRESS) else _ON_LOOPBACK
    before = dict(os.environ)
    os.environ.update({**_QUIET, **local})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _silence() -> None:
    """What Ray reports is raised as an error too; the rest would end up between the lines of progress."""
    import_module("ray.data")  # it sets up its logger
    for name in ("ray", "ray.data"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL)
        for handler in logger.handlers:
            handler.setLevel(logging.CRITICAL)


def _connect(ray: Any, workers: int, folder: str) -> None:
    quiet = {"log_to_driver": False, "configure_logging": False}
    local = {
        "num_cpus": workers,
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES,
        "_node_ip_address": "127.0.0.1",
        "_temp_dir": folder,
    }
    try:
        if address := os.environ.get(ADDRESS):
            ray.init(address=address, **quiet)
        else:
            ray.init(address="local", **local, **quiet)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise EnvironmentProblem(
            f"Ray does not start: {' '.join(str(error).split())[:300]}",
            f"check {ADDRESS}" if os.environ.get(ADDRESS) else "leave out --engine ray",
        ) from error
