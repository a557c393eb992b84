"""history.jsonl: what happened to a model, one line an event, only ever appended to.

For moves of an alias and for removals it decides: the line is written before its change takes effect, and a
change that a killed process left out is completed by the next one (maskdet.registry.change).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from io import FileIO
from pathlib import Path

from pydantic import ValidationError

from maskdet.errors import RegistryError
from maskdet.registry.records import EVENT, Event, Judged, Move, Pruned, Registered


def read_history(path: Path) -> tuple[Event, ...]:
    """All events, oldest first. A last line without an end was never written whole, so it is no event.

    Raises RegistryError with the line that is damaged.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise RegistryError(f"{path}: {error.strerror or error}", "make it readable") from error
    return tuple(_event(path, number, line) for number, line in enumerate(lines, start=1))


def append(path: Path, event: Event) -> None:
    """Write one event to the disk. Raises OSError, and then no event was added."""
    # Unbuffered: nothing is left to be written when the file is closed after an error.
    with path.open("ab+", buffering=0) as stream:
        stream.seek(0)
        whole = stream.readall().rfind(b"\n") + 1
        stream.truncate(whole)
        try:
            _write(stream, event.model_dump_json().encode() + b"\n")
            os.fsync(stream.fileno())
        except BaseException:
            stream.truncate(whole)
            raise


def tracks(events: Iterable[Event]) -> dict[str, list[int]]:
    """By alias, the versions that it has pointed to, the present one last; a rollback takes the last away."""
    found: dict[str, list[int]] = {}
    for event in events:
        if isinstance(event, Move):
            track = found.setdefault(event.alias, [])
            if event.event == "rolled back":
                _step_back(track, event.after)
            else:
                track.append(event.after)
    return found


def last_move(events: Sequence[Event], alias: str) -> Move | None:
    """The latest move of an alias."""
    moves = (event for event in reversed(events) if isinstance(event, Move) and event.alias == alias)
    return next(moves, None)


def last_verdict(events: Sequence[Event], number: int) -> Judged | None:
    """The latest verdict of the gates on a version, None if the history has none."""
    verdicts = (one for one in reversed(events) if isinstance(one, Judged) and one.number == number)
    return next(verdicts, None)


def pruned(events: Iterable[Event]) -> set[int]:
    """The numbers of versions that were removed."""
    return {event.number for event in events if isinstance(event, Pruned)}


def registered(events: Iterable[Event]) -> dict[int, Registered]:
    """The registration of each version, removed ones included."""
    return {event.number: event for event in events if isinstance(event, Registered)}


def _step_back(track: list[int], target: int) -> None:
    # Versions in between were removed since, so one step may pass several.
    while track and track[-1] != target:
        track.pop()
    if not track:
        track.append(target)


def _event(path: Path, number: int, line: bytes) -> Event:
    try:
        return EVENT.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise RegistryError(
            f"{path}:{number} is damaged: {first['msg']}",
            "restore the file from a backup, or mend that line by hand",
        ) from error


def _write(stream: FileIO, data: bytes) -> None:
    while data:
        data = data[stream.write(data) :]
