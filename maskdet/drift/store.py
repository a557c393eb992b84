"""Hours of service on disk, in a folder that several processes write to and any may read.

    versions/<version>.json      bins and profile of a version
    hours/<hour>/<writer>.json   what one process counted in that hour, replaced as a whole
    hours/<hour>/merged.json     an hour that is over: the sum, and the names of the files that it replaces

Each process writes only files of its own, so no lock is needed to count. The merged file names its parts: a
reader leaves them out, so a kill between writing it and removing them changes nothing.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from filelock import FileLock, Timeout

from maskdet.drift.features import Bins
from maskdet.drift.hour import SECONDS, Hour, hour_name, hour_number, read_hour
from maskdet.drift.version import Version
from maskdet.errors import ServingError
from maskdet.system.asides import sweep
from maskdet.system.clock import ClockDoubt
from maskdet.system.files import staged_file

MERGED: Final = "merged.json"
SETTLED_HOURS: Final = 2
"""After so many hours nothing is added to an hour any more."""
MOST_VERSIONS_KEPT: Final = 200
_TRIES: Final = 3
_BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError)

logger = logging.getLogger("maskdet.monitor")


class Store:
    """One folder; `writer` is this process's name in it."""

    def __init__(self, folder: Path) -> None:
        self.writer = secrets.token_hex(8)
        self._hours = folder / "hours"
        self._versions = folder / "versions"
        self._lock = folder / ".lock"
        self._written: dict[str, str] = {}
        self._doubt = ClockDoubt(str(folder))

    def prepare(self) -> None:
        """Create the folders. Raises ServingError if they cannot be written to."""
        try:
            for part in (self._hours, self._versions):
                part.mkdir(parents=True, exist_ok=True)
                sweep(part)
                with staged_file(part / f".{self.writer}") as aside:
                    aside.touch()
                (part / f".{self.writer}").unlink()
        except OSError as error:
            folder = self._lock.parent
            raise ServingError(
                f"the statistics in {folder} cannot be written: {error.strerror or error}",
                "choose another folder with --monitor",
            ) from error

    def write_version(self, version: Version) -> None:
        """Kept as first written, if it can be read: the bins are those of all tallies. Only its name in the
        registry may follow.
        """
        path = self._path(version.version)
        if self._written.get(version.version) == version.registered and path.exists():
            return
        stored = self.version(version.version)
        kept = version if stored is None else stored.named(version.registered)
        if kept != stored:
            _write(path, kept.to_json())
        self._written[version.version] = version.registered

    def version(self, name: str) -> Version | None:
        """As it was first written; None if it was not, or cannot be read."""
        return _read_version(self._path(name))

    def versions(self) -> dict[str, Version]:
        """All versions that can be read, by name."""
        found = (_read_version(path) for path in sorted(self._versions.glob("[!.]*.json")))
        return {one.version: one for one in found if one is not None}

    def write(self, hour: int, counted: Hour) -> None:
        """Replace what this process counted in an hour."""
        _write(self._hours / hour_name(hour) / f"{self.writer}.json", counted.to_json())

    def read(
        self, hours: range, versions: Mapping[str, Version], *, without: Container[int] = ()
    ) -> dict[int, Hour]:
        """By hour the sum of all processes; in the hours `without`, of the others only.

        A damaged file counts nothing.
        """
        own = f"{self.writer}.json"
        return {
            hour: _sum(_settled(folder, versions, own if hour in without else "").hours.values())
            for hour, folder in self._folders()
            if hour in hours
        }

    def tidy(self, now_hour: int, keep_hours: int) -> None:
        """Merge the files of hours that are over, and remove old ones; one process at a time does it."""
        try:
            with FileLock(self._lock, timeout=0):
                self._tidy(now_hour, keep_hours)
        except Timeout:
            return

    def _tidy(self, now_hour: int, keep_hours: int) -> None:
        versions = self.versions()
        folders = list(self._folders())
        old = {hour for hour, _ in folders if hour < now_hour - keep_hours}
        doubtful = bool(old) and self._doubt.waits(
            now_hour * SECONDS, (hour * SECONDS for hour, _ in folders)
        )
        for hour, folder in folders:
            if hour in old:
                if not doubtful:
                    shutil.rmtree(folder, ignore_errors=True)
            elif hour < now_hour - SETTLED_HOURS:
                _merge(folder, versions)
        by_age = sorted(versions.values(), key=lambda version: version.since)
        for version in by_age[:-MOST_VERSIONS_KEPT]:
            self._path(version.version).unlink(missing_ok=True)

    def _path(self, version: str) -> Path:
        return self._versions / f"{version}.json"

    def _folders(self) -> Iterator[tuple[int, Path]]:
        with suppress(FileNotFoundError):
            for folder in sorted(self._hours.iterdir()):
                hour = hour_number(folder.name)
                if hour is not None:
                    yield hour, folder


def _merge(folder: Path, versions: Mapping[str, Version]) -> None:
    sweep(folder)
    found = _settled(folder, versions, "")
    # What cannot be read now may be readable in an hour. Until the merged one is, its parts are not known.
    whole = {name: hour for name, hour in found.hours.items() if name not in found.partly}
    added = whole.keys() - {MERGED}
    if MERGED in found.names - whole.keys() or not (added or found.names & found.parts):
        return
    _write(folder / MERGED, {**_sum(whole.values()).to_json(), "parts": sorted(added | found.parts)})
    for name in found.names & (added | found.parts):
        (folder / name).unlink(missing_ok=True)


class _Listing(NamedTuple):
    """names: all files; parts: those that the merged one contains; hours: what is to be added up, by file;
    partly: those of them with tallies of a version that is not known, or not now.
    """

    names: set[str]
    parts: set[str]
    hours: dict[str, Hour]
    partly: set[str]


def _settled(folder: Path, versions: Mapping[str, Version], left_out: str) -> _Listing:
    """`_listed`, once more if another process merged the files meanwhile."""
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            return _listed(folder, versions, left_out)
    return _Listing(set(), set(), {}, set())


def _listed(folder: Path, versions: Mapping[str, Version], left_out: str) -> _Listing:
    """Raises FileNotFoundError."""
    # Without what another process is just writing.
    names = {path.name for path in folder.glob("[!.]*.json")}
    bins = {name: version.bins for name, version in versions.items()}
    raw = {name: _load(folder / name) for name in sorted(names) if name != left_out}
    merged = raw.get(MERGED)
    parts = (
        set(merged["parts"]) if isinstance(merged, dict) and isinstance(merged.get("parts"), list) else set()
    )
    read = {name: _hour(folder / name, value, bins) for name, value in raw.items() if name not in parts}
    hours = {name: hour for name, hour in read.items() if hour is not None}
    partly = {name for name in hours if any(one["version"] not in bins for one in raw[name]["tallies"])}
    return _Listing(names, parts, hours, partly)


def _hour(path: Path, raw: Any, bins: Mapping[str, Bins]) -> Hour | None:
    """None for a damaged file."""
    try:
        return read_hour(raw, bins)
    except _BROKEN as error:
        logger.warning("statistics damaged", extra={"fields": {"file": str(path), "error": str(error)[:200]}})
        return None


def _read_version(path: Path) -> Version | None:
    """None for a damaged file, or none."""
    try:
        return Version.read(_load(path))
    except FileNotFoundError:
        return None
    except _BROKEN as error:
        logger.warning("statistics damaged", extra={"fields": {"file": str(path), "error": str(error)[:200]}})
        return None


def _sum(parts: Iterable[Hour]) -> Hour:
    total = Hour()
    for one in parts:
        total.merge(one)
    return total


def _write(path: Path, value: Any) -> None:
    with staged_file(path) as aside:
        aside.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")


def _load(path: Path) -> Any:
    """None for a file that cannot be read. Raises FileNotFoundError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError):
        return None
