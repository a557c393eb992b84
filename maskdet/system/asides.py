"""Files and folders on their way into place: per-process names, and what killed processes left behind."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path
from secrets import token_hex

import psutil

from maskdet.system.machine import pid_space

PREFIX = ".aside-"
OLD_SECONDS = 24 * 3600.0
"""Age beyond which no process can still be writing: many times what the slowest stage takes."""
_NAME_END = 40
"""Characters of the target's name that are kept; a whole name of 255 bytes would leave no room."""
_REFUGE = re.compile(rf"{re.escape(PREFIX)}\w+-\d+-[0-9a-f]{{8}}")
_MARK = re.compile(rf"{_REFUGE.pattern}[-/\\]")


def aside_of(target: Path) -> Path:
    """A name beside `target` that is unique across containers: `.aside-SPACE-PID-RANDOM-NAME`."""
    # The suffix stays: writers such as cv2.imwrite choose the format by it.
    return target.with_name(f"{_refuge_of(target).name}-{target.name[-_NAME_END:]}")


def step_aside(target: Path) -> Path:
    """Move a folder into a new one beside it, `.aside-SPACE-PID-RANDOM`, for `put_back`."""
    refuge = _refuge_of(target)
    refuge.mkdir()
    # Under its whole name, to which it can return.
    target.replace(refuge / target.name)
    return refuge


def put_back(refuge: Path) -> None:
    """Return what stepped aside, unless its place has been taken: then it is not needed any more."""
    for former in refuge.iterdir():
        place = refuge.with_name(former.name)
        try:
            if not place.exists():
                former.replace(place)
        except OSError:
            # Another process may have taken the place at the same moment; else this is the only copy.
            if not place.exists():
                raise
    remove(refuge)


def intended(path: str) -> str:
    """A path without what marks it as an aside: where its contents were to end up."""
    return _MARK.sub("", path)


def sweep(folder: Path) -> None:
    """Remove what killed processes left in the folder, and put back what they had moved out of the way; what
    a live one may still write to stays.
    """
    for path in folder.glob(f"{PREFIX}*"):
        if _owner_is_gone(path) or _age(path) > OLD_SECONDS:
            if path.is_dir() and _REFUGE.fullmatch(path.name):
                put_back(path)
            else:
                remove(path)


def remove(path: Path) -> None:
    """A file, or a folder and its contents, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _refuge_of(target: Path) -> Path:
    return target.with_name(f"{PREFIX}{pid_space()}-{os.getpid()}-{token_hex(4)}")


def _owner_is_gone(path: Path) -> bool:
    """Only for processes that this one can see; a reused process id counts as alive until the file is old."""
    space, _, rest = path.name.removeprefix(PREFIX).partition("-")
    pid = rest.partition("-")[0]
    return space == pid_space() and pid.isdecimal() and not psutil.pid_exists(int(pid))


def _age(path: Path) -> float:
    """Seconds since anything inside was last written."""
    try:
        newest = max(part.lstat().st_mtime for part in (path, *path.rglob("*")))
    except FileNotFoundError:  # put into place by its owner meanwhile
        return 0.0
    return time.time() - newest
