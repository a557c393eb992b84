"""Writing so that nothing is ever half-written: aside first, then renamed into place."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from maskdet.system.asides import aside_of, put_back, remove, step_aside

_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def staged_file(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` to write to; it replaces `target` only if the block succeeds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = aside_of(target)
    try:
        with _naming(target):
            yield aside
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target`; it replaces `target` as a whole only if the block succeeds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = aside_of(target)
    aside.mkdir()
    try:
        with _naming(target):
            yield aside
        _replace_folder(aside, target)
    finally:
        remove(aside)


@contextmanager
def _naming(target: Path) -> Iterator[None]:
    """Say what was being written when the disk became full: the system's error names no file."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL and error.filename is None:
            error.filename = str(target)
        raise


def write_text(target: Path, text: str) -> None:
    """UTF-8 with newlines as they are, the same bytes on every system."""
    with staged_file(target) as aside:
        aside.write_text(text, encoding="utf-8", newline="\n")


def write_json(target: Path, value: Any) -> None:
    """Write `json_text`."""
    write_text(target, json_text(value))


def json_text(value: Any) -> str:
    """Two-space indent, non-ASCII kept, one newline at the end: the same bytes for the same value."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def json_lines(text: str) -> list[str]:
    """The lines of a text that has a JSON value in each.

    Only a newline ends one; str.splitlines also breaks at characters that JSON strings may hold: U+2028, say.
    """
    return [line for line in text.split("\n") if line]


def sha256_if_any(path: Path) -> str:
    """Like `sha256_file`; "" if there is no such file."""
    return sha256_file(path) if path.is_file() else ""


def sha256_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def relative_path(path: Path, start: Path) -> Path:
    """`path` as seen from the folder `start`, without links; absolute where they lie on different drives."""
    try:
        return Path(os.path.relpath(path.resolve(), start.resolve()))
    except ValueError:
        return path.resolve()


def is_hidden(below: PurePath) -> bool:
    """Whether a file, or a folder on the way to it from the one that a person named, begins with a dot."""
    return any(part.startswith(".") for part in below.parts)


def visible_files(folder: Path) -> Iterator[Path]:
    """Every file below the folder but for hidden ones, also below folders that are links.

    A folder that can be reached in several ways, as in a loop of links, is visited once: by its own path if
    that one is below `folder`.
    """
    waiting, visited = [folder], set[Path]()
    for start in waiting:
        for place, folders, files in os.walk(start):
            here = Path(place)
            if (real := here.resolve()) in visited:
                folders.clear()
                continue
            visited.add(real)
            folders[:] = sorted(_visible(folders))
            # os.walk passes over links, so folders are found by their own paths first.
            waiting += [here / name for name in folders if (here / name).is_symlink()]
            yield from (here / name for name in _visible(files))


def _visible(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if not is_hidden(PurePath(name)))


def common_folder(folders: Iterable[Path]) -> Path:
    """The deepest folder that holds all of them, without links: the folder itself if there is one."""
    return Path(os.path.commonpath([folder.resolve() for folder in folders]))


def _replace_folder(aside: Path, target: Path) -> None:
    # A folder cannot be renamed over a non-empty one. The old one steps aside first, and returns if this
    # one does not come; after a kill between the two renames, `sweep` brings it back.
    old = step_aside(target) if target.exists() else None
    try:
        aside.replace(target)
    finally:
        if old is not None:
            put_back(old)
