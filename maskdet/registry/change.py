"""One writer at a time in a model's folder, which first completes what a killed one left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from maskdet.errors import RegistryError
from maskdet.registry.history import append, last_move, pruned, read_history, registered, tracks
from maskdet.registry.layout import RECORD, Layout
from maskdet.registry.records import Event, Registered
from maskdet.registry.version import numbered_version
from maskdet.system.asides import aside_of, remove, sweep
from maskdet.system.files import sha256_file

WAIT_SECONDS: Final = 30.0
"""How long a writer waits for another one; what is done under the lock takes milliseconds."""


class Change:
    """What may be done to a model while no other process changes it."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.events: list[Event] = list(read_history(layout.history))

    def record(self, event: Event) -> None:
        """Append an event to the history. Raises OSError, and then nothing was recorded."""
        append(self.layout.history, event)
        self.events.append(event)

    def next_number(self) -> int:
        """A number that no version has or had."""
        known = {*self.layout.numbers(), *registered(self.events), *pruned(self.events)}
        return max(known, default=0) + 1

    def remove(self, number: int) -> None:
        """Take a version's folder away, in one step."""
        folder = self.layout.version(number)
        aside = aside_of(folder)
        folder.replace(aside)
        remove(aside)

    def complete(self) -> None:
        """Finish the changes of a process that died between its record and its effect, or the reverse."""
        for folder in (self.layout.folder, self.layout.versions, self.layout.aliases):
            sweep(folder)
        known, gone = registered(self.events), pruned(self.events)
        for number in self.layout.numbers():
            if number in gone:
                self.remove(number)
            elif number not in known:
                self.record(_registration(self.layout, number))
        for alias in tracks(self.events):
            move = last_move(self.events, alias)
            if move and self._target(alias) != move.after:
                self.layout.point(alias, move.after)

    def _target(self, alias: str) -> int | None:
        try:
            return self.layout.target(alias)
        except RegistryError:  # damaged, so it is written again
            return None


@contextmanager
def change(layout: Layout) -> Iterator[Change]:
    """Hold a model's folder for this process. Raises RegistryError if it cannot be written to."""
    with writing(layout.folder):
        for folder in (layout.versions, layout.aliases):
            folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(layout.lock, timeout=WAIT_SECONDS)
        try:
            lock.acquire()
        except Timeout as error:
            raise RegistryError(
                f"another process has been changing {layout.folder} for {WAIT_SECONDS:.0f} s",
                "try again; if it hangs, stop it",
            ) from error
        try:
            changed = Change(layout)
            changed.complete()
            yield changed
        finally:
            lock.release()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn an error of the file system into a RegistryError: nothing was changed."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise RegistryError(
            f"{where}: {error.strerror or error}; the registry is unchanged",
            "make room and check that the folder can be written to, then run the command again",
        ) from error


def _registration(layout: Layout, number: int) -> Registered:
    version = numbered_version(layout, number)
    record = version.record
    return Registered(
        at=record.created,
        by=record.by,
        number=number,
        bundle=record.bundle,
        record=sha256_file(version.folder / RECORD),
    )
