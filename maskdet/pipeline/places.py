"""Where a project keeps its files, relative to the current directory or to a results folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from maskdet.artefacts import BUNDLE
from maskdet.registry.layout import version_name

DEFAULT_CONFIG: Final = Path("pipeline.yml")
RUNS: Final = Path("runs")
"""Holds a results folder for each pipeline."""
EXPORTED: Final = Path("export", BUNDLE)
"""The bundle in a results folder."""


def model_name(file: Path) -> str:
    """What results of a model are called: NAME@NUMBER for a registered version, all of which have one file
    name, else the file's name without its ending.
    """
    return version_name(file) or file.stem
