"""Where a project keeps its files, relative to the current directory or to a results folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from maskdet.artefacts import BUNDLE

DEFAULT_CONFIG: Final = Path("pipeline.yml")
RUNS: Final = Path("runs")
"""Holds a results folder for each pipeline."""
EXPORTED: Final = Path("export", BUNDLE)
"""The bundle in a results folder."""
