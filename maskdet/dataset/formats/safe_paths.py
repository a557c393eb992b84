"""Paths that a stranger's file names: only ones that stay inside the set's folder are followed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath


def inner_path(text: str) -> PurePosixPath | None:
    """The path without `.` parts; None if it is absolute, leads upwards, or cannot be a file name here."""
    path = PurePosixPath(text.replace("\\", "/"))
    drive = PureWindowsPath(text).drive
    if not path.parts or path.is_absolute() or drive or ".." in path.parts or not text.isprintable():
        return None
    return path


def existing_file(root: Path, path: PurePosixPath) -> Path | None:
    """The file below `root`, None if there is none (or its name is too long to be one)."""
    try:
        file = root / path
        return file if file.is_file() else None
    except OSError:
        return None
