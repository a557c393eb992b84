"""Paths that a stranger's file names: only ones that stay inside the set's folder are followed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from maskdet.dataset.reading.names import WHY_UNLISTABLE, is_listable

_LONGEST_NAME: Final = 255
"""Bytes that file systems take for one name; asking for a longer one is an error, not a miss."""
_LONGEST_PATH: Final = 1000


def inner_path(text: str) -> PurePosixPath | None:
    """The path without `.` parts; None if it is absolute, leads upwards, or cannot be a file name here."""
    if not is_listable(text) or len(text) > _LONGEST_PATH:
        return None
    path = PurePosixPath(text.replace("\\", "/"))
    drive = PureWindowsPath(text).drive
    too_long = any(len(part.encode()) > _LONGEST_NAME for part in path.parts)
    if not path.parts or path.is_absolute() or drive or ".." in path.parts or too_long:
        return None
    return path


def refusal(text: object, wanted: str) -> tuple[str, str]:
    """Code and reason of the finding about a text that is no inner path to what is `wanted`."""
    if isinstance(text, str) and not is_listable(text):
        return "name-unusable", WHY_UNLISTABLE
    return "path-outside", f"is not a {wanted} inside the set"


def existing_file(root: Path, path: PurePosixPath) -> Path | None:
    """The file below `root`, None if there is none."""
    file = root / path
    return file if file.is_file() else None
