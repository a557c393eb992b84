"""Paths that a stranger's file names: only ones that stay inside the set's folder are followed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

_LONGEST_NAME: Final = 255
"""Bytes that file systems take for one name; asking for a longer one is an error, not a miss."""
_LONGEST_PATH: Final = 1000


def inner_path(text: str) -> PurePosixPath | None:
    """The path without `.` parts; None if it is absolute, leads upwards, or cannot be a file name here."""
    if not text.isprintable() or len(text) > _LONGEST_PATH:
        return None
    path = PurePosixPath(text.replace("\\", "/"))
    drive = PureWindowsPath(text).drive
    too_long = any(len(part.encode()) > _LONGEST_NAME for part in path.parts)
    if not path.parts or path.is_absolute() or drive or ".." in path.parts or too_long:
        return None
    return path


def existing_file(root: Path, path: PurePosixPath) -> Path | None:
    """The file below `root`, None if there is none."""
    file = root / path
    return file if file.is_file() else None
