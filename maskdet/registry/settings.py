"""The `registry` section of pipeline.yml."""

from __future__ import annotations

from pathlib import Path

from maskdet.settings import Section


class RegistrySettings(Section):
    """Where registered models are kept."""

    root: Path = Path("models")
    """Folder of the registry, with a folder for each model. Several machines may share it."""
