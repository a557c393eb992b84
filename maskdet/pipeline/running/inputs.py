"""Building blocks of stage inputs: settings by key, files by hash, a data folder by a quick signature."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskdet.errors import StageError
from maskdet.pipeline.running.stage import Context, Inputs
from maskdet.settings import Section
from maskdet.system.files import sha256_file


def setting_inputs(name: str, section: Section, exclude: frozenset[str] = frozenset()) -> Inputs:
    """The section's values by dotted key, without the keys that do not affect the stage's result."""
    return dict(_flat(name, section.model_dump(mode="json", exclude=set(exclude))))


def file_input(context: Context, stage: str, name: str) -> Inputs:
    """An earlier stage's artefact by content. Raises StageError if it is missing."""
    path = context.path(stage, name)
    if not path.is_file():
        raise StageError(f"{path} is missing", f"run `{context.command(stage)}` first")
    return {f"file {stage}/{name}": sha256_file(path)}


def folder_signature(folder: Path) -> str:
    """Name, size and time of every file in the folder as one sha256: quick, where hashing contents takes
    seconds.

    A missing folder has a signature too, so that the stage itself can report the fault.
    """
    digest = hashlib.sha256()
    for row in sorted(_stat_rows(folder)):
        digest.update(row.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()


def _stat_rows(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from map(_stat_row, entries)
    except OSError as error:
        yield f"unreadable: {error.strerror}"


def _stat_row(entry: os.DirEntry[str]) -> str:
    try:
        stat = entry.stat()
    except OSError as error:  # such as a link that leads nowhere, which must not hide the other entries
        return f"{entry.name}\0unreadable: {error.strerror}"
    return f"{entry.name}\0{stat.st_size}\0{stat.st_mtime_ns}"


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    else:
        yield name, value
