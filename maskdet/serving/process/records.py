"""One small file for each running server, in a folder of this user only: how `stop` finds it."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from maskdet.errors import ServingError
from maskdet.system.files import write_json
from maskdet.system.machine import pid_space
from maskdet.system.process_start import process_start


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """A running server. `start` is its process's (`process_start`): with the pid it identifies one process of
    this container for good, while a pid alone may have been reused.
    """

    pid: int
    start: str
    port: int
    url: str

    def process(self) -> psutil.Process | None:
        """The server's process, or None if it has ended."""
        try:
            process = psutil.Process(self.pid)
            alive = process_start(self.pid) == self.start and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if alive else None


def own_record(port: int, url: str) -> ServerRecord:
    """The record of this process."""
    return ServerRecord(os.getpid(), process_start(os.getpid()), port, url)


def write_record(record: ServerRecord) -> None:
    """Make the server discoverable by its port."""
    write_json(_folder() / f"{_prefix(record.port)}-{_address(record)}.json", asdict(record))


def read_records(port: int) -> list[ServerRecord]:
    """Those of a port, one for each address, whether or not their servers still run.

    Raises ServingError if one is damaged.
    """
    return [record for path in _paths(port) if (record := _read(path)) is not None]


def _read(path: Path) -> ServerRecord | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return _by_clock(path, **found) if "created" in found else ServerRecord(**found)
    except FileNotFoundError:
        return None  # its server has ended at this very moment
    except (OSError, ValueError, TypeError) as error:
        raise ServingError(
            f"{path}: cannot be read: {error}", "delete it, and end the server by its pid"
        ) from error


def _by_clock(path: Path, *, pid: int, created: float, port: int, url: str) -> ServerRecord:
    """What an earlier maskdet wrote: it knew its process by the clock, which may have been set since.

    Raises ServingError if it cannot be told whether that process runs.
    """
    try:
        if psutil.Process(pid).create_time() == created:
            return ServerRecord(pid, process_start(pid), port, url)
    except psutil.NoSuchProcess:
        return ServerRecord(pid, "", port, url)
    raise ServingError(
        f"{path}: of an earlier maskdet, and process {pid} may be its server or another one",
        f"look at process {pid}, end it if it is the server, and delete the file",
    )


def remove_record(record: ServerRecord) -> None:
    """Remove a server's record, unless another has taken its port since."""
    for path in _paths(record.port):
        if _read(path) == record:
            path.unlink(missing_ok=True)


def _paths(port: int) -> list[Path]:
    return sorted(_folder().glob(f"{_prefix(port)}*.json"))


def _prefix(port: int) -> str:
    # Containers that share the folder have their own ports and process ids.
    return f"serve-{port}-{pid_space()}"


def _address(record: ServerRecord) -> str:
    """Servers on one port may listen on different addresses; a file's name has no colons on Windows."""
    return (urlsplit(record.url).hostname or "").replace(":", ".")


def _folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(runtime, "maskdet") if runtime else Path(tempfile.gettempdir(), f"maskdet-{user}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    # In a shared temporary folder anyone could have created it first, and so choose whom `stop` signals.
    if not stat.S_ISDIR(found.st_mode) or (
        hasattr(os, "getuid") and (found.st_uid != user or found.st_mode & 0o077)
    ):
        raise ServingError(f"{folder} is not a private folder of yours", "delete it, or set XDG_RUNTIME_DIR")
    return folder
