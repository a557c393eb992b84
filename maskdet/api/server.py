"""`maskdet.serve`: the HTTP server in a separate process, for as long as Python code needs it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from os import PathLike
from types import TracebackType
from typing import IO, Final
from weakref import finalize

from maskdet.api.arguments import checked_overrides, model_path
from maskdet.errors import MaskdetError, ServingError
from maskdet.pipeline.references.models import existing_model
from maskdet.registry.reference import is_reference

_MARK: Final = " at http"
_STOP_SECONDS: Final = 60.0
"""Long enough for the server to finish accepted requests."""
_SHOWN_LINES: Final = 10


class Server:
    """A running server, started by `maskdet.serve`; it stops with its `with` block or the interpreter."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.url = url
        """Its address, such as http://127.0.0.1:8866, which also serves the web page."""
        self._process = process
        self._end = finalize(self, _end, process)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "running" if self._process.poll() is None else "stopped"
        return f"<Server: {state}, {self.url}>"

    def stop(self) -> None:
        """Finish accepted requests, then stop; does nothing if it has already stopped."""
        self._end()


def serve(
    model: str | PathLike[str] = "default",
    *,
    port: int = 0,
    overrides: Sequence[str] = (),
) -> Server:
    """Start `maskdet serve` in a separate process, and return once it answers.

    >>> with maskdet.serve() as server:
    ...     httpx.post(f"{server.url}/v1/detect", files={"image": open("photo.jpg", "rb")}).json()

    model: an .onnx bundle, a results folder such as "runs/NAME", "models:NAME@ALIAS", a registered model,
        whose alias is followed, or a shipped one by name, such as "default".
    port: 0 picks a free one; see `url`.
    overrides: "serve.KEY=value" each, such as "serve.workers=2".

    It listens on this machine only. The `serve` section of a pipeline.yml in the current directory applies.
    Raises ServingError if the server does not start, and errors of `maskdet.load` for the model.
    """
    named = model_path(model)
    file = existing_model(named)
    answering = named if is_reference(named) else file
    sets = [part for text in checked_overrides(overrides) for part in ("--set", text)]
    command = [
        sys.executable,
        "-m",
        "maskdet",
        "serve",
        "--model",
        str(answering),
        "--port",
        str(port),
        *sets,
    ]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            return Server(process, _address(process, log))
        except BaseException:
            _end(process)
            raise


def _address(process: subprocess.Popen[str], log: IO[str]) -> str:
    line = process.stdout.readline() if process.stdout else ""
    _, mark, address = line.strip().rpartition(_MARK)
    if mark:
        return f"http{address}"
    process.wait()
    raise _failure(process.returncode, log)


def _failure(code: int, log: IO[str]) -> MaskdetError:
    log.seek(0)
    said = "\n".join(log.read().splitlines()[-_SHOWN_LINES:])
    return ServingError(f"the server ended with exit code {code}:\n{said}", "fix that and start it again")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
