"""The manifest that a user names: by a run, a results folder, or the file itself."""

from __future__ import annotations

from pathlib import Path

from maskdet.artefacts import MANIFEST
from maskdet.errors import UsageError


def find_manifest(named: str, runs: Path) -> Path:
    """A file, the one in a folder or in its prepare/, or that of a run below `runs`. Raises UsageError."""
    path = Path(named)
    if path.is_file():
        return path
    places = [folder / below / MANIFEST for folder in (path, runs / named) for below in ("", "prepare")]
    for place in places:
        if place.is_file():
            return place
    raise UsageError(
        f"{named}: no manifest there", f"name a run in {runs}, a results folder or a manifest.json"
    )
