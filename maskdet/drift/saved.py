"""Histories read from a folder of statistics, as a server shows its own."""

from __future__ import annotations

import time
from pathlib import Path

from maskdet.drift.history import History
from maskdet.drift.hour import hour_of
from maskdet.drift.store import Store
from maskdet.drift.view import View
from maskdet.drift.viewer import Viewer
from maskdet.errors import UsageError

_HINT = "a server writes statistics with `maskdet serve --monitor DIR`"


def saved_views(folder: Path, hours: int, limit: float, version: str = "") -> list[View]:
    """One view for each model: of the version that answered last, or of the given one only.

    Raises UsageError if there are no statistics, or none of that version.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder", _HINT)
    now, store = time.time(), Store(folder)
    last = hour_of(now)
    wanted, versions = range(last - hours + 1, last + 1), store.versions()
    history = History(wanted, now, versions, store.read(wanted, versions))
    serving = {model: one for model, one in history.used() if version in ("", one)}
    if version and not serving:
        raise UsageError(f"{folder} has no statistics of version {version} in the last {hours} hours", _HINT)
    if not serving:
        raise UsageError(f"{folder} has no statistics of the last {hours} hours", _HINT)
    viewer = Viewer(history, serving, limit)
    return [viewer.view(model, one, kept=True, delay_seconds=0) for model, one in serving.items()]
