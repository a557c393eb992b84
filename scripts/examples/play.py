"""One page's examples, run one after the other in a folder of their own."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from examples.blocks import Example, examples, parts
from examples.interpreter import Interpreter
from examples.not_run import reason_of
from examples.props import furnish
from examples.scenes import scene_of
from examples.typed import typed
from served import is_ready

PORT = 8866
START_SECONDS = 300.0
TAIL = 25
SERVE = "maskdet serve"


class FailedError(Exception):
    """An example failed; the message says where and shows the end of what it printed."""


@dataclass(frozen=True)
class Place:
    """Where a page is run, and where the files are that its examples become."""

    folder: Path
    steps: Path
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        """Without settings of the caller and proxies, and with the interpreter's commands first."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("MASKDET_") and "proxy" not in name.lower()
        }
        commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "PATH": commands, "MASKDET_CACHE": str(self.cache), "COLUMNS": "200", "TERM": "dumb"}


class Play:
    """The examples of a page; close it whatever happens."""

    def __init__(self, page: str, place: Place, project: Path | None) -> None:
        self.page, self._place, self._scene = page, place, scene_of(page)
        furnish(place.folder, self._scene, project)
        place.steps.mkdir(parents=True)
        self._shell = Interpreter.shell(place.folder, place.environment)
        self._python: Interpreter | None = None
        self._server = ""
        self._count = 0

    def run(self, done: Callable[[Example, float], None]) -> None:
        """Raise FailedError at the first example that fails; `done` hears of each that does not."""
        for example in to_run(self.page):
            began = time.monotonic()
            for before in self._before(example):
                self._shell_step(before)
            self._step(example)
            done(example, time.monotonic() - began)
        self._stop_server()

    def kill(self) -> None:
        """May be called from any thread: whatever runs ends, and `run` raises FailedError."""
        for each in self._interpreters:
            each.kill()

    def close(self) -> None:
        for each in self._interpreters:
            each.close()

    @property
    def _interpreters(self) -> list[Interpreter]:
        return [each for each in (self._shell, self._python) if each is not None]

    def _before(self, example: Example) -> Iterator[Example]:
        for start, code in self._scene.before.items():
            if example.code.startswith(start):
                yield from (replace(example, kind="shell", code=each) for _, each in parts("shell", code))

    def _step(self, example: Example) -> None:
        if example.kind == "text":
            raise FailedError(f"{example.place}: no example and no entry in not_run.py\n  {example.headline}")
        if example.kind == "python":
            self._python_step(example)
        else:
            self._shell_step(replace(example, code=typed(example, self._scene.saved)))

    def _shell_step(self, example: Example) -> None:
        if starts_server(example):
            self._serve(example)
            return
        allowed = next(
            (codes for start, codes in self._scene.exits.items() if example.code.startswith(start)), (0,)
        )
        self._expect(self._shell, self._written(example.code), example, allowed)

    def _python_step(self, example: Example) -> None:
        self._python = self._python or Interpreter.python(self._place.folder, self._place.environment)
        # A traceback then names the page's own lines.
        self._expect(self._python, self._written("\n" * (example.line - 1) + example.code), example)

    def _serve(self, example: Example) -> None:
        """Leave the server running once it answers; the one before is ended."""
        self._stop_server()
        step = self._written(f"{{\nexec {example.code}\n}} &\nSERVER=$!\n")
        self._expect(self._shell, step, example)
        self._server = example.place
        port = re.search(r"--port[ =](\d+)", example.code)
        address = f"http://127.0.0.1:{port[1] if port else PORT}"
        alive, deadline = self._written('kill -0 "$SERVER"\n'), time.monotonic() + START_SECONDS
        while not is_ready(address):
            if self._shell.run(alive) != 0 or time.monotonic() > deadline:
                raise FailedError(told(example, "no server", step))
            time.sleep(0.1)

    def _stop_server(self) -> None:
        """End it as its host does, if it still runs; it has to say that all is well."""
        if self._server:
            step = self._written('{ kill "$SERVER" || true; } 2>/dev/null\nwait "$SERVER"\n')
            if code := self._shell.run(step):
                raise FailedError(f"{self._server}: the server ended with {code}")
        self._server = ""

    def _written(self, code: str) -> Path:
        self._count += 1
        step = self._place.steps / f"{self._count:03}"
        step.write_text(code, encoding="utf-8")
        return step

    def _expect(
        self, interpreter: Interpreter, step: Path, example: Example, allowed: Sequence[int] = (0,)
    ) -> None:
        code = interpreter.run(step)
        if code not in allowed:
            raise FailedError(told(example, "no end" if code is None else f"exit code {code}", step))


def to_run(page: str) -> list[Example]:
    return [example for example in examples(page) if not reason_of(example)]


def serves(page: str) -> bool:
    """Whether a server runs beside its examples, whose port no other page may use then."""
    before = [line for code in scene_of(page).before.values() for line in code.splitlines()]
    return any(map(starts_server, to_run(page))) or any(line.startswith(SERVE) for line in before)


def starts_server(example: Example) -> bool:
    """Whether it does not end by itself."""
    return example.kind == "shell" and example.code.startswith(SERVE)


def told(example: Example, what: str, step: Path) -> str:
    log = step.with_name(f"{step.name}.log")
    printed = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    tail = "\n".join(f"    {line}" for line in printed.splitlines()[-TAIL:])
    return f"{example.place}: {what}\n  {example.headline}\n{tail}"
