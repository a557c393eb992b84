"""Two pages at a time: one of those that serve, since they share a port, and one of the others."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from examples.blocks import Example
from examples.play import FailedError, Place, Play, serves, to_run
from examples.scenes import PROJECT, scene_of

PORTS = (8866, 8080)


@dataclass
class Done:
    """How many examples ended well, and what the others said."""

    run: int = 0
    failures: list[str] = field(default_factory=list)


class Lanes:
    """Runs pages below `base`; the logs of those that fail are copied to `logs`."""

    def __init__(self, base: Path, logs: Path) -> None:
        self._base, self._logs = base, logs
        self._done, self._lock = Done(), threading.Lock()
        self._open: set[Play] = set()
        self._stopped = False
        self._project_ended = threading.Event()
        self._project: Path | None = None

    def play(self, pages: Sequence[str]) -> Done:
        """Raises OSError if a port is taken."""
        pages = ordered(page for page in pages if to_run(page))
        if any(map(serves, pages)):
            require_ports()
        lanes = [[page for page in pages if serves(page) is serving] for serving in (True, False)]
        with ThreadPoolExecutor(len(lanes)) as pool:
            try:
                for each in as_completed([pool.submit(self._follow, lane) for lane in lanes]):
                    each.result()
            finally:
                self._stop()
        return self._done

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            for each in self._open:
                each.kill()
        self._project_ended.set()

    def _follow(self, lane: list[str]) -> None:
        for page in lane:
            if scene_of(page).project:
                self._project_ended.wait()
            try:
                self._play(page)
            except FailedError as error:
                self._fail(page, str(error))
            finally:
                if page == PROJECT:
                    self._project_ended.set()
            if self._stopped:
                return

    def _play(self, page: str) -> None:
        if scene_of(page).project and self._project is None:
            raise FailedError(f"{to_run(page)[0].place}: needs the project of {PROJECT}, which failed")
        place = self._place(page)
        play = Play(page, place, self._project)
        with self._lock:
            self._open.add(play)
            if self._stopped:
                play.kill()
        try:
            play.run(self._succeed)
        finally:
            with self._lock:
                self._open.remove(play)
            play.close()
        if page == PROJECT:
            self._project = place.folder

    def _place(self, page: str) -> Place:
        name = page.strip("/").replace("/", "-").removesuffix(".md")
        return Place(self._base / name, self._base / "steps" / name, self._base / "cache")

    def _succeed(self, example: Example, seconds: float) -> None:
        with self._lock:
            self._done.run += 1
            print(f"{seconds:6.1f} s  {example.place}  {example.headline}", flush=True)

    def _fail(self, page: str, said: str) -> None:
        with self._lock:
            if self._stopped:
                return
            self._done.failures.append(said)
            print(f"FAILED {said}", flush=True)
            steps = self._place(page).steps
            if steps.exists():
                shutil.copytree(steps, self._logs / steps.name)


def ordered(pages: Iterable[str]) -> list[str]:
    """The page of the project first, if one needs it; then those that do not."""
    found = list(pages)
    needed = [PROJECT] if PROJECT in found or any(scene_of(page).project for page in found) else []
    others = [page for page in found if page != PROJECT]
    return needed + sorted(others, key=lambda page: scene_of(page).project)


def require_ports() -> None:
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise OSError(f"port {port}, which the pages use, is taken: {error.strerror}") from error
